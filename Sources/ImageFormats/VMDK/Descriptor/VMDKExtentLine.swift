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
        case vmfsRaw = "VMFSRAW"
    }

    var access: Access
    /// Guest bytes.
    var byteCount: UInt64
    var kind: Kind
    /// The file's name as stored; empty for ZERO.
    var name: [UInt8]
    /// Where the extent begins in its file, in bytes.
    var fileOffset: UInt64

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
        // Names may hold blanks and quotation marks: the first and the last mark on the line are the outer ones.
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
        guard columns.count == 3, let opening, let closing = line.lastIndex(of: quote), closing > opening + 1
        else { throw refuse("an extent line needs a file name in quotation marks") }
        name = Array(line[(opening + 1)..<closing])
        let rest = line[(closing + 1)...].split(whereSeparator: Self.isBlank)
        guard let first = rest.first else {
            fileOffset = 0
            return
        }
        // A further column of a SPARSE or VMFS line has no meaning, as partitioned disks' UUIDs have none here.
        guard kind == .flat else {
            fileOffset = 0
            return
        }
        guard let start = Self.number(first), let bytes = start *? 512, bytes <= UInt64(Int64.max) else {
            throw refuse("the extent's offset is not a possible number of sectors", .extentSize)
        }
        fileOffset = bytes
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
