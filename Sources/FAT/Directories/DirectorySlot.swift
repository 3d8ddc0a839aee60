internal import Storage

/// A slot of a directory: 32 bytes that are a file's entry, a piece of a long name, the volume's label, or unused
/// (fatgen103, "FAT Directory Structure" and "Long Directory Entries").
struct DirectorySlot: Sendable {
    static let byteCount = 32

    enum Offset {
        static let attributes = 11
        static let caseFlags = 12
        static let creationTenths = 13
        static let creationTime = 14
        static let creationDate = 16
        static let accessDate = 18
        static let clusterHigh = 20
        static let writeTime = 22
        static let writeDate = 24
        static let clusterLow = 26
        static let size = 28
        // A piece of a long name.
        static let order = 0
        static let checksum = 13
    }

    struct Attributes: OptionSet, Sendable {
        let rawValue: UInt8
        static let readOnly = Attributes(rawValue: 1)
        static let label = Attributes(rawValue: 8)
        static let directory = Attributes(rawValue: 16)
        static let archive = Attributes(rawValue: 32)
    }

    /// NT's flags for short names whose letters are all small.
    enum CaseFlag {
        static let base: UInt8 = 8
        static let suffix: UInt8 = 16
    }

    /// First byte of a slot that is not in use.
    static let deletedMark: UInt8 = 0xe5

    /// 32 bytes.
    var bytes: [UInt8]

    /// Of exactly 32 bytes.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// No slot behind this one is in use.
    var isEnd: Bool { bytes[0] == 0 }
    var isDeleted: Bool { bytes[0] == Self.deletedMark }
    var isLongPart: Bool { !isEnd && !isDeleted && bytes[Offset.attributes] & 0x3f == 0x0f }
    /// The volume's label.
    var isLabel: Bool {
        !isEnd && !isDeleted && !isLongPart && bytes[Offset.attributes] & 0x18 == 0x08
    }
    /// A file or directory: neither unused nor of a long name nor with the label's bit.
    var isFile: Bool { !isEnd && !isDeleted && bytes[Offset.attributes] & 0x08 == 0 }
    /// "." or "..".
    var isDot: Bool { isFile && (rawName == Self.dotName || rawName == Self.parentName) }

    static let dotName = Array(".          ".utf8)
    static let parentName = Array("..         ".utf8)

    var attributes: Attributes {
        get { Attributes(rawValue: bytes[Offset.attributes]) }
        set { bytes[Offset.attributes] = newValue.rawValue }
    }
    var isDirectory: Bool { attributes.contains(.directory) }
    var type: FileType { isDirectory ? .directory : .regular }

    /// The eleven bytes of the name as they are stored.
    var rawName: [UInt8] { Array(bytes[..<11]) }
    /// The same with what a first byte of 5 stands for: E5, which would mean "deleted".
    var name: [UInt8] {
        var name = rawName
        if name[0] == 0x05 { name[0] = Self.deletedMark }
        return name
    }

    var size: UInt32 {
        get { bytes.little(Offset.size) }
        set { bytes.storeLittle(newValue, at: Offset.size) }
    }

    /// Where the contents begin; 0 for none. FAT32 alone uses the high half.
    func firstCluster(_ width: BootSector.Width) -> ClusterNumber {
        let high: UInt16 = width == .fat32 ? bytes.little(Offset.clusterHigh) : 0
        return ClusterNumber(UInt32(high) << 16 | UInt32(bytes.little(Offset.clusterLow, as: UInt16.self)))
    }

    mutating func setFirstCluster(_ cluster: UInt32, _ width: BootSector.Width) {
        bytes.storeLittle(UInt16(truncatingIfNeeded: cluster), at: Offset.clusterLow)
        if width == .fat32 {
            bytes.storeLittle(UInt16(truncatingIfNeeded: cluster >> 16), at: Offset.clusterHigh)
        }
    }

    // MARK: Pieces of long names

    /// Places of the thirteen UTF-16 units.
    static let unitOffsets = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]

    var order: UInt8 { bytes[Offset.order] }
    var nameChecksum: UInt8 { bytes[Offset.checksum] }
    var units: [UInt16] { Self.unitOffsets.map { bytes.little($0) } }

    /// The checksum of a short name that every piece of its long name carries: rotated right, and added.
    static func checksum(_ rawName: [UInt8]) -> UInt8 {
        rawName.reduce(0) { ($0 >> 1 | $0 << 7) &+ $1 }
    }
}
