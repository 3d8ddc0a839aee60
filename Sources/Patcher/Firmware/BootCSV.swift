/// A list of loaders that shim's fallback.efi makes boot entries of (shim's README.fallback): UTF-16, a line
/// `program,title,arguments,comment` each, programs of the directory that the list lies in.
package struct BootCSV: Sendable, Equatable {
    /// The directory's name.
    package var folder: String
    /// Its own name in capitals: "BOOTX64.CSV".
    package var name: String
    /// The programs that it names.
    package var programs: [String]

    init(folder: String, name: String, _ bytes: [UInt8]) {
        self.folder = folder
        self.name = name.uppercased()
        var units: [UInt16] = []
        for index in stride(from: 0, to: bytes.count - bytes.count % 2, by: 2) {
            units.append(UInt16(bytes[index]) | UInt16(bytes[index + 1]) << 8)
        }
        if units.first == 0xfeff { units.removeFirst() }
        programs = String(decoding: units, as: UTF16.self).split { $0.isNewline || $0 == "\0" }
            .compactMap { line in
                line.split(separator: ",", omittingEmptySubsequences: false).first.map(String.init)
            }.filter { !$0.isEmpty }
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
