internal import Storage

/// One line of a descriptor's extent section: `RW 4192256 SPARSE "disk-s001.vmdk"`, where FLAT has a further
/// column, the sector at which the extent's bytes begin in the file. (VMware, "Virtual Disk Format 5.0", "The
/// Extent Description".)
struct VMDKExtentLine: Equatable, Sendable {
    /// The first column.
    enum Access: String, Sendable {
        case readWrite = "RW"
        case readOnly = "RDONLY"
        case none = "NOACCESS"
    }

    /// The third column.
    enum Kind: String, Sendable {
        case flat = "FLAT"
        case vmfs = "VMFS"
        case sparse = "SPARSE"
        case zero = "ZERO"
        case vmfsSparse = "VMFSSPARSE"
        case seSparse = "SESPARSE"
        case vmfsRDM = "VMFSRDM"
        case vmfsRDMP = "VMFSRDMP"
        case vmfsRaw = "VMFSRAW"

        /// Whether the file has a header that leads to the bytes.
        var isSparse: Bool { [.sparse, .vmfsSparse, .seSparse].contains(self) }
    }

    var access: Access
    /// Guest bytes.
    var byteCount: UInt64
    var kind: Kind
    /// The file's name as stored; empty for ZERO.
    var name: [UInt8]
    /// Where the extent begins in its file, in bytes.
    var fileOffset: UInt64

    /// Whether the name is a device's, of Linux or Windows.
    var isDevice: Bool {
        name.starts(with: Array("/dev/".utf8)) || name.starts(with: Array(#"\\.\"#.utf8))
    }

    /// Whether a line is meant as an extent: its first word is an access mode.
    static func isExtent(_ line: ArraySlice<UInt8>) -> Bool {
        guard let word = line.split(whereSeparator: isBlank).first else { return false }
        return Access(rawValue: upper(word)) != nil
    }

    /// Reads a line for which `isExtent` holds; `offset` is its position in the file, for messages.
    init(_ line: ArraySlice<UInt8>, at offset: UInt64) throws(StorageError) {
        func refuse(
            _ message: String, _ code: VMDKCode = .extentLine, _ kind: StorageError.Kind = .corrupt
        ) -> StorageError {
            .vmdk(kind, code, message, structure: "extent line", offset: offset)
        }
        let quote = UInt8(ascii: "\"")
        let opening = line.firstIndex(of: quote)
        let columns = line[..<(opening ?? line.endIndex)].split(whereSeparator: Self.isBlank)
        guard columns.count >= 3, let access = Access(rawValue: Self.upper(columns[0])),
            let sectors = Self.number(columns[1])
        else { throw refuse("an extent line needs access, size and type") }
        self.access = access
        guard sectors > 0, let bytes = sectors *? 512, bytes <= UInt64(Int64.max) else {
            throw refuse("an extent of \(sectors) sectors is impossible", .extentSize)
        }
        byteCount = bytes
        guard let kind = Kind(rawValue: Self.upper(columns[2])) else {
            throw refuse(
                "extents of type \(columns[2].displayText) are not known", .extentType,
                .unsupported)
        }
        self.kind = kind
        guard kind != .zero else {
            name = []
            fileOffset = 0
            return
        }
        guard columns.count == 3, let opening, let closing = Self.end(ofName: line, from: opening),
            closing > opening + 1
        else { throw refuse("an extent line needs a file name in quotation marks") }
        name = Array(line[(opening + 1)..<closing])
        let rest = line[(closing + 1)...].split(whereSeparator: Self.isBlank)
        // The partition's UUID and the device's name that may follow the offset have no meaning here.
        guard let first = rest.first, first.first != quote else {
            fileOffset = 0
            return
        }
        guard let start = Self.number(first), let bytes = start *? 512, bytes <= UInt64(Int64.max) else {
            throw refuse("the extent's offset is not a possible number of sectors", .extentSize)
        }
        // Other kinds have no such column; some writers put a zero there.
        guard kind == .flat || bytes == 0 else {
            throw refuse(
                "an extent of type \(kind.rawValue) begins where its file does, not at sector \(start)")
        }
        fileOffset = bytes
    }

    /// The mark that ends the name which begins behind the mark at `opening`. Names may hold blanks and marks, and further
    /// columns in marks may follow: it is the first mark behind which such columns stand, else the line's last.
    private static func end(ofName line: ArraySlice<UInt8>, from opening: Int) -> Int? {
        let quote = UInt8(ascii: "\"")
        let marks = line.indices.filter { $0 > opening && line[$0] == quote }
        return marks.first { isColumns(line[($0 + 1)...]) } ?? marks.last
    }

    /// Blanks, or a number and then texts in marks.
    private static func isColumns(_ rest: ArraySlice<UInt8>) -> Bool {
        let quote = UInt8(ascii: "\"")
        var rest = rest
        var isFirst = true
        while true {
            let column = rest.drop(while: isBlank)
            guard let start = column.first else { return true }
            // Columns are set off by blanks.
            guard column.startIndex > rest.startIndex else { return false }
            if start == quote {
                guard let end = column.dropFirst().firstIndex(of: quote) else { return false }
                rest = column[(end + 1)...]
            } else {
                let word = column.prefix { !isBlank($0) }
                guard isFirst, number(word) != nil else { return false }
                rest = column[word.endIndex...]
            }
            isFirst = false
        }
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 }

    private static func upper(_ word: ArraySlice<UInt8>) -> String {
        String(decoding: word, as: UTF8.self).uppercased()
    }

    private static func number(_ word: ArraySlice<UInt8>) -> UInt64? {
        guard word.first != UInt8(ascii: "+") else { return nil }
        return UInt64(String(decoding: word, as: UTF8.self))
    }
}
