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

        /// Something else lies on the device than the row can have used: what is encrypted with a new key at each start is known
        /// as nothing, or as the swap area that it was made of; so is what has no header. All else has a header of LUKS, or of
        /// a kind that nobody looks for.
        func contradicts(_ kind: VolumeIdentity.Kind) -> Bool {
            if kind == .unknown || keepsIdentity(of: kind) { return false }
            if hasRandomKey || options.contains("swap") || options.contains("tmp") { return kind != .swap }
            let isElsewhere = options.contains { $0.hasPrefix("header=") || $0.hasPrefix("tcrypt") }
            return kind != .luks && !isElsewhere && !options.contains("bitlk")
        }

        /// A signature of such a kind may be left from before: a swap area with a new key at each start takes the first page,
        /// and what it is filled with may not have come so far. Of the one disk that there is, nothing else can be meant.
        func leaves(_ kind: VolumeIdentity.Kind) -> Bool {
            (hasRandomKey || options.contains("swap"))
                && [
                    "btrfs", "linux_raid_member", "reiserfs", "nilfs2", "jfs", "zfs_member", "gfs2",
                    "iso9660", "udf",
                ]
                .contains(kind.rawValue)
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
        rows.filter { $0.words.count >= 2 }.flatMap { fields in
            let row = Row(
                name: fields.words[0], key: fields.words.count > 2 ? fields.words[2] : nil,
                options: fields.words.count > 3
                    ? fields.words[3].split(separator: ",").map(String.init) : [])
            return [DeviceSite(range: fields.ranges[1], text: fields.words[1], use: .crypttab(row))]
                + Self.keyAndHeader(bytes, fields, row)
        }
    }

    /// Where the key and a header of its own lie: a device, systemd's PATH:DEVICE, or passdev's DEVICE:PATH. Devices that every
    /// machine has are none of the guest's.
    private static func keyAndHeader(
        _ bytes: [UInt8], _ fields: FieldTable.Row, _ row: Row
    ) -> [DeviceSite] {
        var places: [(name: String, range: Range<Int>)] = []
        if fields.ranges.count > 2 { places.append(("key", fields.ranges[2])) }
        if fields.ranges.count > 3 {
            places += bytes[fields.ranges[3]].split(separator: .comma).compactMap {
                option -> (name: String, range: Range<Int>)? in
                let name = Array("header=".utf8)
                guard option.starts(with: name) else { return nil }
                return ("header", option.startIndex + name.count..<option.endIndex)
            }
        }
        return places.flatMap { place in
            bytes[place.range].split(separator: .colon).compactMap { part -> DeviceSite? in
                let range = part.startIndex..<part.endIndex
                let text = bytes.text(range)
                switch DeviceName(text) {
                case .notADevice, .virtual, .optical, .floppy: return nil
                default:
                    return DeviceSite(
                        range: range, text: text, use: .crypttabPart(name: place.name, row))
                }
            }
        }
    }
}
