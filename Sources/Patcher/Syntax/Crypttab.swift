internal import Storage

/// /etc/crypttab (crypttab(5)): name, device, key, options.
package struct Crypttab: ConfigurationSyntax {
    package static let kind = ConfigurationKind("crypttab")
    package static let places: [ConfigurationPlace] = [.path("/etc/crypttab")]

    /// One row.
    package struct Row: Sendable, Equatable {
        /// What the decrypted device is called.
        package var name: String
        /// Where the key is; nil when the row ends before it.
        package var key: String?
        /// The options.
        package var options: [String]

        /// Every start makes a new key, so that nothing of the last one can be read.
        var hasRandomKey: Bool {
            key.map { ["/dev/urandom", "/dev/random", "/dev/hwrng", "/dev/hw_random"].contains($0) } ?? false
        }

        /// What the device itself is known by lasts through the row's use: a LUKS header does, and what lies before the
        /// first sector that is encrypted. All else is overwritten by what goes through the mapping.
        func keepsIdentity(of kind: VolumeIdentity.Kind) -> Bool {
            if kind == .luks, !hasRandomKey { return true }
            let offset = options.lazy.compactMap { option in
                option.hasPrefix("offset=") ? Int(option.dropFirst("offset=".count)) : nil
            }.first
            // A swap area's header is a page long.
            return offset.map { $0 >= 8 } ?? false
        }
    }

    /// Its rows.
    package let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) { rows = FieldTable(bytes).rows }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        rows.filter { $0.words.count >= 2 }.map {
            let row = Row(
                name: $0.words[0], key: $0.words.count > 2 ? $0.words[2] : nil,
                options: $0.words.count > 3 ? $0.words[3].split(separator: ",").map(String.init) : [])
            return DeviceSite(range: $0.ranges[1], text: $0.words[1], use: .crypttab(row))
        }
    }
}
