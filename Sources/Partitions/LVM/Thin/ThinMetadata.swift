internal import Storage
internal import Synchronization

/// The metadata of a thin pool: a superblock and B-trees of 4 KiB nodes (drivers/md/dm-thin-metadata.c and
/// persistent-data/). Read only.
final class ThinMetadata: Sendable {
    static let blockSize = 4096
    private static let magic: UInt64 = 27_022_010
    /// Salts that the kernel xors into the checksums, so that one kind of block is not taken for another.
    private static let superblockSalt: UInt32 = 160_774
    private static let nodeSalt: UInt32 = 121_107
    /// A tree of 2^64 entries is not so deep.
    private static let depthLimit = 12
    private static let cacheLimit = 512

    private let device: any BlockDevice
    /// The tree of trees: device number to the root of its mappings.
    private let root: UInt64
    /// The unit of allocation in bytes.
    let dataBlockSize: UInt64
    private let cache = Mutex(BoundedCache<UInt64, Node>(budget: ThinMetadata.cacheLimit))

    init(_ device: any BlockDevice) throws(StorageError) {
        guard device.byteCount >= UInt64(Self.blockSize) else { throw Self.corrupt("is too short", 0) }
        let block = try device.bytes(at: 0, count: Self.blockSize)
        guard block.little(32, as: UInt64.self) == Self.magic else {
            throw Self.corrupt("has no superblock", 0)
        }
        guard Self.checksum(block, Self.superblockSalt) == block.little(0) else {
            throw Self.corrupt("has a superblock that fails its checksum", 0)
        }
        let version: UInt32 = block.little(40)
        guard version == 1 || version == 2 else {
            throw .lvm(.unsupported, .segmentType, "the thin pool's metadata has version \(version)")
        }
        root = block.little(320)
        let sectors: UInt32 = block.little(336)
        guard (128...2_097_152).contains(sectors), sectors % 128 == 0 else {
            throw Self.corrupt("has an impossible data block size", 336)
        }
        dataBlockSize = UInt64(sectors) * 512
        self.device = device
    }

    /// What a lookup finds: the value of the key, and the next key that has one (nil when there is none).
    struct Found: Equatable {
        var value: UInt64?
        var next: UInt64?
    }

    /// The root of a thin device's mappings. Throws `corrupt` when the pool does not know it.
    func mappings(ofDevice number: UInt64) throws(StorageError) -> UInt64 {
        guard let found = try lookUp(number, root: root).value else {
            throw Self.corrupt("does not know device \(number)", 320)
        }
        return found
    }

    /// The data block that a device's block `block` is mapped to.
    func dataBlock(of block: UInt64, mappings: UInt64) throws(StorageError) -> Found {
        var found = try lookUp(block, root: mappings)
        // The low 24 bits are the time of mapping, for sharing with snapshots.
        found.value = found.value.map { $0 >> 24 }
        return found
    }

    private func lookUp(_ key: UInt64, root: UInt64) throws(StorageError) -> Found {
        var place = root
        var next: UInt64?
        for _ in 0..<Self.depthLimit {
            let node = try node(at: place)
            let index = node.lastIndex(notAbove: key)
            let following = (index ?? -1) + 1
            if following < node.keys.count { next = node.keys[following] }
            guard let index else { return Found(value: nil, next: next) }
            if node.isLeaf {
                return Found(value: node.keys[index] == key ? node.values[index] : nil, next: next)
            }
            place = node.values[index]
        }
        throw Self.corrupt("has a tree that is too deep", place *? UInt64(Self.blockSize))
    }

    // MARK: Nodes

    private struct Node: Sendable {
        var isLeaf: Bool
        var keys: [UInt64]
        var values: [UInt64]

        func lastIndex(notAbove key: UInt64) -> Int? {
            let behind = keys.firstIndex(sortedBy: { $0 > key })
            return behind == 0 ? nil : behind - 1
        }
    }

    private func node(at place: UInt64) throws(StorageError) -> Node {
        if let known = cache.withLock({ $0.value(for: place) }) { return known }
        guard let offset = place *? UInt64(Self.blockSize), offset < device.byteCount,
            device.byteCount - offset >= UInt64(Self.blockSize)
        else { throw Self.corrupt("points to block \(place), behind its end", nil) }
        let block = try device.bytes(at: offset, count: Self.blockSize)
        guard Self.checksum(block, Self.nodeSalt) == block.little(0), block.little(8) == place else {
            throw Self.corrupt("has a tree node that fails its checksum", offset)
        }
        let flags: UInt32 = block.little(4)
        let count = Int(block.little(16, as: UInt32.self))
        let maximum = Int(block.little(20, as: UInt32.self))
        guard block.little(24, as: UInt32.self) == 8, count <= maximum, maximum <= (Self.blockSize - 32) / 16,
            flags == 1 || flags == 2
        else { throw Self.corrupt("has a tree node with impossible counts", offset) }
        let node = Node(
            isLeaf: flags == 2, keys: (0..<count).map { block.little(32 + $0 * 8) },
            values: (0..<count).map { block.little(32 + (maximum + $0) * 8) })
        cache.withLock { $0.keep(node, for: place, cost: 1) }
        return node
    }

    private static func checksum(_ block: [UInt8], _ salt: UInt32) -> UInt32 {
        CRC32C.update(~0, block.span8.extracting(4..<blockSize)) ^ salt
    }

    private static func corrupt(_ what: String, _ offset: UInt64?) -> StorageError {
        StorageError(
            .corrupt, LVMCode.thinMetadata, "the thin pool's metadata \(what)",
            structure: "thin pool metadata", offset: offset)
    }
}
