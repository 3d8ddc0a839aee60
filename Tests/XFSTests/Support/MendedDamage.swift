import Storage
import TestSupport
import Testing

@testable import XFS

/// Damage to one block after the other of a volume, the log apart, with the checksums that the blocks would have.
struct MendedDamage {
    let base: MemoryDevice
    private let bytes: [UInt8]
    private let geometry: Geometry
    private let blocks: [Int]
    private var random: SeededRandom
    /// What was damaged last, as it is now.
    private(set) var last = OrderedWrites.Write(offset: 0, bytes: [])

    init(_ bytes: [UInt8], seed: UInt64) throws {
        self.bytes = bytes
        base = MemoryDevice(bytes)
        random = SeededRandom(seed)
        let geometry = try #require(try Superblock.read(from: base)).geometry()
        self.geometry = geometry
        let log = try #require(try XFSFileSystem.open(base).logRing(on: base))
        let logRange = log.position(of: 0)..<log.position(of: 0) + UInt64(log.count * 512)
        let unit = geometry.blockSize
        blocks = stride(from: 0, to: bytes.count, by: unit).filter { start in
            !logRange.contains(UInt64(start))
                && !bytes.span8.extracting(start..<start + unit).isAllZero
        }
    }

    /// The volume with one to four bytes of one block changed.
    mutating func next() throws -> OverlayDevice {
        let device = OverlayDevice(base)
        let unit = geometry.blockSize
        let start = try #require(blocks.randomElement(using: &random))
        var block = Array(bytes[start..<start + unit])
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            // Headers are short: most damage goes there.
            let limit = Bool.random(using: &random) ? min(128, unit) : unit
            let place = Int.random(in: 0..<limit, using: &random)
            let values: [UInt8] = [0, 1, 2, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &random)]
            block[place] = values.randomElement(using: &random) ?? 0
        }
        let damaged = Mending.mend(block, at: start, geometry)
        last = OrderedWrites.Write(offset: UInt64(start), bytes: damaged)
        try device.write(damaged, at: UInt64(start))
        return device
    }
}

/// Gives damaged blocks the checksums that they would have.
enum Mending {
    static func mend(_ block: [UInt8], at position: Int, _ geometry: Geometry) -> [UInt8] {
        guard geometry.hasChecksums else { return block }
        var result = block
        // A block may be sectors of a group's head, inodes, or one structure.
        let unit =
            [0x5846_5342, 0x5841_4746, 0x5841_4749, 0x5841_464c].contains(block.big(0, as: UInt32.self))
            ? geometry.sectorSize
            : block.big(0, as: UInt16.self) == Inode.magic ? geometry.inodeSize : block.count
        for start in stride(from: 0, to: block.count, by: unit) {
            var part = Array(result[start..<start + unit])
            if unit == geometry.inodeSize, part.big(0, as: UInt16.self) == Inode.magic {
                Checksum.update(&part, at: Inode.Offset.checksum)
            } else if let kind = BufferKind(part, geometry) {
                Checksum.update(&part, at: kind.checksum)
            }
            result.replaceSubrange(start..<start + unit, with: part)
        }
        return result
    }
}
