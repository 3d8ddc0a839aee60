import Foundation
import ImageFormats
@_spi(Testing) import Storage
@_spi(Testing) import TestSupport
import Testing

struct VHDPowerCutTests {
    private let size: UInt64 = 6 << 20
    private let siblings = ReferencePolicy(allowsSiblings: true)

    private func blockSize() -> (key: String, value: String) { ("block_size", "512K") }

    /// Writes over old blocks, into new ones and across, records it, and cuts the power everywhere.
    private func cut(_ path: String, _ directory: TemporaryDirectory, seed: UInt64, qemu: Bool) throws {
        let old = try open(path, .read, siblings).disk.bytes(at: 0, count: Int(size))
        var new = old
        let operations: [HostTransaction.Operation]
        do {
            let image = try open(path, .write, siblings)
            let transaction = try HostTransaction([image.disk.map.hostFiles[0]])
            var random = SeededRandom(seed)
            for step in 0..<6 {
                let count = Int.random(in: 1...60_000, using: &random)
                let offset = Int.random(in: 0...Int(size) - count, using: &random)
                let bytes = random.block(count)
                try image.disk.write(bytes, at: UInt64(offset))
                new.replaceSubrange(offset..<offset + count, with: bytes)
                if step == 2 { try image.disk.flush() }
            }
            try image.disk.flush()
            operations = transaction.recordedOperations
            transaction.rollBack()
        }
        #expect(operations.count > 6)
        let final = new
        var last = old
        try PowerCut.replay(operations, onto: path, seed: seed, in: directory) { path, cut in
            let image = try open(path, .read, siblings)
            last = try image.disk.bytes(at: 0, count: Int(size))
            #expect(everySectorIsOldOrNew(last, old: old, new: final), "\(cut)")
            // Leaks at worst.
            var damage: [ImageFinding] = []
            try ImageProbe.check(path, locking: .ignore) { if $0.severity == .damage { damage.append($0) } }
            #expect(damage == [], "\(cut)")
            // Writing goes on from there too: nothing overlaps, nothing lies outside.
            _ = try open(path, .write, siblings).disk.prepareWriting(at: 0)
            if qemu { try Tool.run("qemu-img", ["map", "-f", "vpc", path]) }
        }
        #expect(isSame(last, final))
    }

    @Test(arguments: 1..<4 as Range<UInt64>)
    func dynamicDisks(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("disk.vhd")
        let options = ImageCreateOptions(values: [blockSize()])
        let image = try VHDDriver.create(path, byteCount: size, options: options)
        var random = SeededRandom(seed)
        try image.disk.write(random.block(700_000), at: 900_000)
        try image.disk.flush()
        try cut(path, directory, seed: seed, qemu: seed == 1)
    }

    /// qemu lays the footer right behind the last block, where the next bitmap goes.
    @Test func disksMadeByQemu() throws {
        let directory = try TemporaryDirectory()
        let raw = try scatteredDisk(directory, "raw", byteCount: size, seed: 5)
        let path = directory.path("disk.vhd")
        try Tool.run("qemu-img", ["convert", "-O", "vpc", "-o", "force_size", "-f", "raw", raw, path])
        try cut(path, directory, seed: 5, qemu: true)
    }

    @Test(arguments: 1..<3 as Range<UInt64>)
    func differencingDisks(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let parent = directory.path("base.vhd")
        let base = try VHDDriver.create(parent, byteCount: size, options: ImageCreateOptions())
        var random = SeededRandom(seed + 20)
        try base.disk.write(random.block(2 << 20), at: 1 << 20)
        try base.disk.flush()
        let path = directory.path("disk.vhd")
        let child = try VHDDriver.create(
            path, byteCount: 0, options: ImageCreateOptions(values: [blockSize()], parent: parent))
        try child.disk.write(random.block(200_000), at: 900_000)
        try child.disk.flush()
        try cut(path, directory, seed: seed, qemu: false)
    }
}
