/// A list of loaders that shim's fallback.efi makes boot entries of (shim's README.fallback): UTF-16, a line
/// `program,title,arguments,comment` each, programs of the directory that the list lies in. A line without a program or a
/// title makes no entry (fallback.c, populate_stanza).
package struct BootCSV: Sendable, Equatable {
    /// The directory's name.
    package var folder: String
    /// Its own name in capitals: "BOOTX64.CSV".
    package var name: String
    /// The programs that it names, in order.
    package var programs: [String]

    init(folder: String, name: String, _ bytes: [UInt8]) {
        self.folder = folder
        self.name = name.uppercased()
        var units: [UInt16] = []
        for index in stride(from: 0, to: bytes.count - bytes.count % 2, by: 2) {
            units.append(UInt16(bytes[index]) | UInt16(bytes[index + 1]) << 8)
        }
        if units.first == 0xfeff { units.removeFirst() }
        programs = units.prefix { $0 != 0 }.split { $0 == 10 || $0 == 13 }.compactMap { line in
            let fields = line.split(separator: UInt16(UInt8(ascii: ",")), omittingEmptySubsequences: false)
            guard fields.count > 1, !fields[0].isEmpty, !fields[1].isEmpty else { return nil }
            return String(decoding: fields[0], as: UTF16.self)
        }
    }

    /// A list of one program.
    static func contents(program: String, title: String) -> [UInt8] {
        "\(program),\(title),,This is the boot entry for \(title)\n".utf16.flatMap {
            [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]
        }
    }

    /// Lists are no longer than this.
    static let byteLimit = 64 << 10
}
