/// mdadm.conf.
package struct MDConfiguration: ConfigurationSyntax {
    package static let kind = ConfigurationKind("mdadm")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/mdadm.conf"), .path("/etc/mdadm/mdadm.conf"),
    ]
    package static var namesAreRemarkedOn: Bool { false }

    /// Its rows.
    package let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) {
        var rows: [FieldTable.Row] = []
        for var row in FieldTable(bytes).rows {
            if let end = row.words.firstIndex(where: { $0.hasPrefix("#") }) {
                row.words = Array(row.words[..<end])
                row.ranges = Array(row.ranges[..<end])
            }
            // A line that begins with a blank goes on with the one before.
            let isContinued = row.ranges.first.map { $0.lowerBound > row.line.content.lowerBound } ?? false
            if isContinued, !rows.isEmpty {
                rows[rows.count - 1].words += row.words
                rows[rows.count - 1].ranges += row.ranges
            } else if !row.words.isEmpty {
                rows.append(row)
            }
        }
        self.rows = rows
    }

    /// Whether mdadm looks at a device: without a row of `DEVICE` at all that hold something (mdadm.conf(5)).
    func looks(at device: String) -> Bool {
        let words = rows.filter { $0.words[0].uppercased().hasPrefix("DEV") }.flatMap { $0.words.dropFirst() }
        return words.isEmpty || words.contains { Self.matches(device, $0) }
    }

    /// The UUIDs of arrays by their nodes' names ("md5", "boot"), 32 digits each.
    static func arrays(in files: [ScannedFile]) -> [String: String] {
        var found: [String: String] = [:]
        for case let file as MDConfiguration in files.map(\.syntax) {
            for row in file.rows where row.words[0].uppercased() == "ARRAY" && row.words.count > 1 {
                let node = row.words[1].hasPrefix("/") ? row.words[1] : "/dev/md/" + row.words[1]
                guard case .array(let name) = DeviceName(node),
                    let word = row.words.first(where: { $0.lowercased().hasPrefix("uuid=") })
                else { continue }
                let digits = word.dropFirst("uuid=".count).lowercased().filter(\.isHexDigit)
                if digits.count == 32, found[name] == nil { found[name] = digits }
            }
        }
        return found
    }

    /// Whether an array of that device is one of the rows': without any, it is.
    func makesNamedArrays(of device: String) -> Bool {
        let lists = rows.filter { $0.words[0].uppercased() == "ARRAY" }.map { row in
            row.words.lazy.compactMap { $0.suffix(behind: "devices=") }.first
        }
        return lists.isEmpty
            || lists.contains { list in
                list.map { $0.split(separator: ",").contains { Self.matches(device, String($0)) } } ?? true
            }
    }

    private static func matches(_ device: String, _ word: String) -> Bool {
        // Names that hold anywhere are looked up.
        word == "partitions" || word.hasPrefix("/dev/disk/")
            || SystemdBootConfiguration.matches(device, pattern: word)
    }

    /// What `DEVICE` names: mdadm looks at nothing else.
    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        rows.filter { $0.words[0].uppercased() == "DEVICE" }.flatMap { row in
            row.ranges.dropFirst().map {
                DeviceSite(range: $0, text: bytes.text($0), use: .reported("device that mdadm looks at"))
            }
        }
    }
}
