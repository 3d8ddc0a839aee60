internal import Storage

/// An extent of a backup: a header that names up to 59 clusters of 64 KiB, and behind it those of their blocks of 4 KiB
/// that are not zero, in that order.
struct VMAExtent {
    /// A cluster as the header names it.
    struct Entry {
        /// The device's number; 0: no entry.
        let device: Int
        /// The cluster's number within the device.
        let cluster: UInt32
        /// A bit for each of its 16 blocks that is stored, the first lowest.
        let mask: UInt16
        /// Blocks of the extent before its first.
        let blocksBefore: Int
    }

    static let magic: [UInt8] = Array("VMAE".utf8)
    static let headerByteCount = 512
    static let clusterByteCount: UInt64 = 64 << 10
    static let blockByteCount: UInt64 = 4096
    private static let entryCount = 59

    /// The clusters, in the order of the header.
    let entries: [Entry]
    /// Blocks that are stored behind the header.
    let blockCount: Int

    /// Reads a header of `headerByteCount` bytes that lies at byte `offset` of a backup of this identifier.
    init(_ bytes: [UInt8], at offset: UInt64, identifier: [UInt8]) throws(StorageError) {
        guard bytes.count == Self.headerByteCount, bytes.starts(with: Self.magic) else {
            throw Self.damaged("no extent begins where one should", offset)
        }
        guard Array(bytes[8..<24]) == identifier else {
            throw Self.damaged("an extent is of another backup", offset)
        }
        var summed = bytes
        summed.replaceSubrange(24..<40, with: repeatElement(0, count: 16))
        guard try Digest.md5(summed.span8) == Array(bytes[24..<40]) else {
            throw Self.damaged("an extent's header has another checksum than it says", offset)
        }
        let span = bytes.span8
        var entries: [Entry] = []
        var blocks = 0
        for index in 0..<Self.entryCount {
            let place = 40 + index * 8
            let device = Int(span.big(place + 3, as: UInt8.self))
            guard device != 0 else { continue }
            let mask = span.big(place, as: UInt16.self)
            entries.append(
                Entry(
                    device: device, cluster: span.big(place + 4, as: UInt32.self), mask: mask,
                    blocksBefore: blocks))
            blocks += mask.nonzeroBitCount
        }
        guard blocks == Int(span.big(6, as: UInt16.self)) else {
            throw Self.damaged("an extent's header counts its blocks wrong", offset)
        }
        self.entries = entries
        blockCount = blocks
    }

    private static func damaged(_ message: String, _ offset: UInt64) -> StorageError {
        .appliance(.corrupt, .badExtent, message, structure: "extent", offset: offset)
    }
}
