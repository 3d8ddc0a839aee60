internal import Storage

/// The header of a version 2 or 3 image, checked against the limits of the format and of qemu.
/// Layout: qemu docs/interop/qcow2.txt, "Header". All numbers are big-endian.
struct QCOW2Header: Equatable, Sendable {
    /// 2 or 3.
    var version: UInt32
    /// log2 of the cluster size, 9…21.
    var clusterBits: UInt32
    /// The guest disk's size in bytes.
    var virtualSize: UInt64
    /// Entries of the active L1 table.
    var l1Count: UInt32
    /// Where the active L1 table lies in the file, in bytes.
    var l1Offset: UInt64
    /// Where the refcount table lies in the file, in bytes.
    var refcountTableOffset: UInt64
    /// Clusters that the refcount table occupies.
    var refcountTableClusters: UInt32
    /// Internal snapshots.
    var snapshotCount: UInt32
    /// Where the snapshot table lies in the file, in bytes.
    var snapshotOffset: UInt64
    /// 0 none, 1 AES, 2 LUKS.
    var cryptMethod: UInt32
    /// Features without which the image cannot be understood.
    var incompatible: Incompatible
    /// Features that can be ignored.
    var compatible: UInt64
    /// Features whose bits a program that does not know them must clear when it writes.
    var autoclear: UInt64
    /// log2 of a refcount's bits, 0…6.
    var refcountOrder: UInt32
    /// Bytes of the header proper; extensions begin there.
    var headerLength: UInt32
    /// How compressed clusters are encoded.
    var codec: CodecID
    /// The backing file's name as stored.
    var backingName: [UInt8]?
    /// What the header extensions say.
    var extensions: QCOW2Extensions

    /// The incompatible feature bits that have a meaning.
    struct Incompatible: OptionSet, Sendable {
        let rawValue: UInt64
        /// Refcounts may be too small.
        static let dirty = Incompatible(rawValue: 1)
        /// Some writer found the tables damaged.
        static let corrupt = Incompatible(rawValue: 2)
        /// Guest data lies in another file.
        static let dataFile = Incompatible(rawValue: 4)
        /// `compression_type` is not zlib.
        static let compressionType = Incompatible(rawValue: 8)
        /// L2 entries of 16 bytes with bitmaps of subclusters.
        static let extendedL2 = Incompatible(rawValue: 16)
        static let known = Incompatible(rawValue: 31)
    }

    /// Byte offsets of the header's fields.
    enum Field {
        static let version = 4
        static let backingOffset = 8
        static let backingSize = 16
        static let clusterBits = 20
        static let virtualSize = 24
        static let cryptMethod = 32
        static let l1Count = 36
        static let l1Offset = 40
        static let refcountTableOffset = 48
        static let refcountTableClusters = 56
        static let snapshotCount = 60
        static let snapshotOffset = 64
        static let incompatible = 72
        static let compatible = 80
        static let autoclear = 88
        static let refcountOrder = 96
        static let headerLength = 100
        static let compressionType = 104
    }

    static let magic: [UInt8] = Array("QFI".utf8) + [0xfb]
    static let version2Length = 72
    static let version3Length = 104
    /// qemu's limits: L1 tables of 32 MiB, refcount tables of 8 MiB, 65536 snapshots.
    static let l1ByteLimit: UInt64 = 32 << 20
    static let refcountTableByteLimit: UInt64 = 8 << 20
    static let snapshotLimit: UInt32 = 65536

    /// Bytes of a cluster.
    var clusterSize: UInt64 { 1 << UInt64(clusterBits) }
    /// log2 of the entries of an L2 table.
    var l2Bits: UInt32 { clusterBits - (incompatible.contains(.extendedL2) ? 4 : 3) }
    /// Guest clusters of the disk, the last perhaps in part.
    var clusterCount: UInt64 { virtualSize.dividedRoundingUp(by: clusterSize) }
    /// log2 of the refcounts in one refcount block.
    var refcountBlockBits: UInt32 { clusterBits + 3 - refcountOrder }
}
