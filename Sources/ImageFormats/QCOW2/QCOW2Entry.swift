internal import Storage

/// An entry of an L2 table. Layout: qemu docs/interop/qcow2.txt, "L2 table entry".
enum QCOW2Entry: Equatable {
    /// The backing file's bytes, or zeros.
    case unallocated
    /// Zeros; `host` is a cluster that is kept for them all the same.
    case zero(host: UInt64?)
    /// Bytes in the host cluster at `host`, which nothing else refers to when `isCopied`.
    case plain(host: UInt64, isCopied: Bool)
    /// A compressed cluster in these bytes of the file, padding included.
    case compressed(Range<UInt64>)

    /// The refcount of what the entry refers to is exactly one.
    static let copiedFlag: UInt64 = 1 << 63
    static let compressedFlag: UInt64 = 1 << 62
    static let zeroFlag: UInt64 = 1
    /// Bits 9 to 55.
    static let offsetMask: UInt64 = 0x00ff_ffff_ffff_fe00

    /// Takes the entry at file byte `offset` apart.
    init(_ raw: UInt64, header: QCOW2Header, at offset: UInt64) throws(StorageError) {
        if raw & Self.compressedFlag != 0 {
            let shift = UInt64(62 - (header.clusterBits - 8))
            let start = raw & ((1 << shift) - 1)
            let sectors = (raw & ~(Self.copiedFlag | Self.compressedFlag)) >> shift + 1
            // Below 2^62: no sum overflows.
            self = .compressed(start..<start - start % 512 + sectors * 512)
            return
        }
        let host = raw & Self.offsetMask
        guard host & (header.clusterSize - 1) == 0 else {
            throw .qcow2(
                .clusterOffset, "an entry's offset \(host.hex) is not a cluster's", structure: "L2 table",
                offset: offset)
        }
        if raw & Self.zeroFlag != 0 {
            guard header.version >= 3 else {
                throw .qcow2(
                    .zeroClusterInVersion2, "an entry has the zero flag, which version 2 does not have",
                    structure: "L2 table", offset: offset)
            }
            self = .zero(host: host == 0 ? nil : host)
        } else if host == 0 {
            self = .unallocated
        } else {
            self = .plain(host: host, isCopied: raw & Self.copiedFlag != 0)
        }
    }
}
