import Storage
import TestSupport

/// Makes tar archives by hand, byte for byte, right or wrong.
struct ArchiveMaker {
    private(set) var bytes: [UInt8] = []

    /// A member; `size` is what its header says where that is another number than there are bytes.
    mutating func add(
        _ name: String, _ contents: [UInt8] = [], type: Character = "0", size: UInt64? = nil,
        link: String = "",
        isBase256: Bool = false
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at start: Int) {
            for (index, byte) in text.utf8.enumerated() { header[start + index] = byte }
        }
        put(String(name.prefix(100)), at: 0)
        put("0000644\u{0}0000000\u{0}0000000\u{0}", at: 100)
        let stated = size ?? UInt64(contents.count)
        if isBase256 {
            header[124] = 0x80
            for index in 0..<8 {
                header[128 + index] = UInt8(truncatingIfNeeded: stated >> UInt64(56 - index * 8))
            }
        } else {
            let digits = String(stated, radix: 8)
            put(String(repeating: "0", count: max(11 - digits.count, 0)) + digits.suffix(11), at: 124)
        }
        put("00000000000", at: 136)
        put("        ", at: 148)
        header[156] = type.asciiValue ?? 0
        put(link, at: 157)
        put("ustar\u{0}00", at: 257)
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        put(String(repeating: "0", count: 6 - sum.count) + sum + "\u{0} ", at: 148)
        bytes += header + contents
        bytes += [UInt8](repeating: 0, count: (512 - contents.count % 512) % 512)
    }

    /// A pax header for the member that follows.
    mutating func addRecords(_ records: [(String, String)], type: Character = "x") {
        var text: [UInt8] = []
        for (key, value) in records {
            let body = " \(key)=\(value)\n".utf8.count
            var length = body + 1
            while String(length).utf8.count + body != length { length += 1 }
            text += Array("\(length) \(key)=\(value)\n".utf8)
        }
        add("PaxHeader", text, type: type)
    }

    mutating func end() { bytes += [UInt8](repeating: 0, count: 1024) }

    func file(_ path: String = "/appliance.ova") -> MemoryFile { MemoryFile(bytes, path: path) }
}
