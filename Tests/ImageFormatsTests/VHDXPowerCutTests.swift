import ImageFormats
@_spi(Testing) import Storage
@_spi(Testing) import TestSupport
import Testing

struct VHDXPowerCutTests {
    private let size: UInt64 = 6 << 20
    private let siblings = ReferencePolicy(allowsSiblings: true)

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
        #expect(operations.count > 15)
        let final = new
        var last = old
        try PowerCut.replay(operations, onto: path, seed: seed, in: directory) { path, cut in
            last = try open(path, .read, siblings).disk.bytes(at: 0, count: Int(size))
            #expect(everySectorIsOldOrNew(last, old: old, new: final), "\(cut)")
            // Leaks at worst.
            var damage: [ImageFinding] = []
            try ImageProbe.check(path, locking: .ignore) { if $0.severity == .damage { damage.append($0) } }
            #expect(damage == [], "\(cut)")
            guard qemu else { return }
            // qemu replays what is pending when it may write, and then reads the same.
            let copy = directory.path("judged")
            try Tool.run("cp", ["--sparse=always", path, copy])
            try Tool.run("qemu-img", ["check", "-q", "-f", "vhdx", "-r", "all", copy])
            let raw = directory.path("judged.raw")
            try Tool.run("qemu-img", ["convert", "-f", "vhdx", "-O", "raw", copy, raw])
            #expect(isSame(try fileBytes(raw), last), "\(cut)")
        }
        #expect(isSame(last, final))
    }

    @Test(arguments: 1..<4 as Range<UInt64>)
    func dynamicDisks(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("disk.vhdx")
        let image = try VHDXDriver.create(path, byteCount: size, options: ImageCreateOptions())
        var random = SeededRandom(seed)
        try image.disk.write(random.block(700_000), at: 900_000)
        try image.disk.flush()
        try cut(path, directory, seed: seed, qemu: seed == 1)
    }

    @Test(arguments: [512, 4096] as [UInt32])
    func differencingDisks(sectorSize: UInt32) throws {
        let directory = try TemporaryDirectory()
        let parent = directory.path("base.vhdx")
        let base = try VHDXDriver.create(
            parent, byteCount: size, options: ImageCreateOptions(sectorSize: sectorSize))
        var random = SeededRandom(20)
        try base.disk.write(random.block(2 << 20), at: 1 << 20)
        try base.disk.flush()
        let path = directory.path("disk.avhdx")
        let child = try VHDXDriver.create(path, byteCount: 0, options: ImageCreateOptions(parent: parent))
        try child.disk.write(random.block(200_000), at: 900_000)
        try child.disk.flush()
        try cut(path, directory, seed: UInt64(sectorSize), qemu: false)
    }

    /// A log that was pending already: its replay on disk can be cut too.
    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func aPendingLog() throws {
        let directory = try TemporaryDirectory()
        let name = "formats/qemu-iotests/iotest-dirtylog-10G-4M.vhdx.bz2"
        let path = try SharedSamples.unpack(name, into: directory)
        let expected = [UInt8](repeating: 0xa5, count: 18 << 20)
        let operations: [HostTransaction.Operation]
        do {
            let disk = try open(path, .write).disk
            let transaction = try HostTransaction([disk.map.hostFiles[0]])
            try disk.write([UInt8](repeating: 0xa5, count: 100), at: 0)
            try disk.flush()
            operations = transaction.recordedOperations
            transaction.rollBack()
        }
        try PowerCut.replay(operations, onto: path, reorderings: 2, in: directory) { path, cut in
            let bytes = try open(path).disk.bytes(at: 0, count: 18 << 20)
            #expect(isSame(bytes, expected), "\(cut)")
        }
    }
}
