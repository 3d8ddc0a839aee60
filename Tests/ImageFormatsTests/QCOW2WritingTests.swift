import ImageFormats
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

@Suite(.enabled(if: Tool.has("qemu-img", "qemu-io"), "qemu-utils is not installed"))
struct QCOW2WritingTests {
    static let variants: [[String]] =
        ["512", "1024", "4096", "65536", "2M"].map { ["-o", "cluster_size=\($0)"] }
        + ["512", "4096", "65536"].map { ["-c", "-o", "cluster_size=\($0)"] }
        + ["1", "2", "4", "8", "32", "64"].map { ["-o", "cluster_size=512,refcount_bits=\($0)"] }
        + [
            ["-c", "-o", "refcount_bits=2,cluster_size=4096"],
            ["-o", "compat=0.10"], ["-c", "-o", "compat=0.10,cluster_size=1024"],
            ["-c", "-o", "compression_type=zstd,cluster_size=8192"],
            ["-o", "preallocation=metadata"], ["-o", "lazy_refcounts=on"],
        ]

    /// Random writes, some of whole clusters, some of zeros; the flat copy gets the same.
    static func scribble(
        _ disk: Image, _ flat: inout [UInt8], seed: UInt64, count: Int, longest: Int = 200_000
    ) throws {
        var random = SeededRandom(seed)
        for _ in 0..<count {
            let length = Int.random(in: 1...longest, using: &random)
            var offset = Int.random(in: 0..<max(1, flat.count - length), using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0:
                try disk.flush()
            case 1:
                let end = min(offset + length, flat.count)
                try disk.writeZeroes(at: UInt64(offset), count: UInt64(end - offset))
                flat.replaceSubrange(offset..<end, with: [UInt8](repeating: 0, count: end - offset))
            default:
                if Bool.random(using: &random) { offset &= ~0xffff }
                let bytes = [UInt8](repeating: UInt8.random(in: 1...255, using: &random), count: length)
                let end = min(offset + length, flat.count)
                try disk.write(Array(bytes.prefix(end - offset)), at: UInt64(offset))
                flat.replaceSubrange(offset..<end, with: bytes.prefix(end - offset))
            }
        }
        try disk.flush()
    }

    @Test(arguments: variants)
    func randomWritesReadBackByQEMU(arguments: [String]) throws {
        var flat = patternedBytes((3 << 20) + 512, seed: 21)
        let fixture = try QCOW2Fixture(of: flat, arguments: arguments)
        for seed in 1...UInt64(2 * QCOW2Effort.factor) {
            let disk = try fixture.open(.write).disk
            try Self.scribble(disk, &flat, seed: seed + QCOW2Effort.seed, count: 12)
            #expect(try disk.bytes(at: 0, count: flat.count) == flat, "read by the writer, \(seed)")
        }
        try fixture.check()
        #expect(try fixture.bytesByQEMU() == flat)
        #expect(try fixture.bytes() == flat)
    }

    @Test func anEmptyImageGrowsPastItsRefcountTable() throws {
        // One cluster of refcount table covers 64 blocks of 64 counts: 2 MiB.
        let fixture = try QCOW2Fixture("40M", options: ["cluster_size=512", "refcount_bits=64"])
        let before = try fixture.fileContents.big(48, as: UInt64.self)
        var flat = [UInt8](repeating: 0, count: 40 << 20)
        do {
            let disk = try fixture.open(.write).disk
            for chunk in 0..<20 {
                let bytes = [UInt8](repeating: UInt8(chunk + 1), count: 700_001)
                try disk.write(bytes, at: UInt64(chunk * 2_000_000))
                flat.replaceSubrange(chunk * 2_000_000..<chunk * 2_000_000 + bytes.count, with: bytes)
                if chunk % 7 == 3 { try disk.flush() }
            }
            try disk.flush()
        }
        #expect(try fixture.fileContents.big(48, as: UInt64.self) != before)
        try fixture.check()
        #expect(try fixture.bytesByQEMU() == flat)
    }

    @Test func zeroClustersThatKeepTheirPlaceAreLetGo() throws {
        var flat = [UInt8](repeating: 9, count: 2 << 20)
        flat.replaceSubrange(256 << 10..<1 << 20, with: [UInt8](repeating: 0, count: 768 << 10))
        let fixture = try QCOW2Fixture("2M", commands: ["write -P 9 0 2M", "write -z 256k 768k"])
        do {
            let disk = try fixture.open(.write).disk
            try Self.scribble(disk, &flat, seed: 8, count: 8)
        }
        try fixture.check()
        #expect(try fixture.bytesByQEMU() == flat)
    }

    @Test func plainClustersAreOverwrittenInPlace() throws {
        let flat = [UInt8](repeating: 1, count: 1 << 20)
        let fixture = try QCOW2Fixture(of: flat, arguments: [])
        let before = try fixture.fileContents
        do {
            let disk = try fixture.open(.write).disk
            try disk.write([9, 9, 9], at: 70_000)
            try disk.flush()
        }
        let after = try fixture.fileContents
        #expect(after.count == before.count)
        #expect(zip(before, after).filter { $0 != $1 }.count == 3)
    }

    @Test func aLargeAllocationIsContiguousAndCommitsWithFewBarriers() throws {
        let fixture = try QCOW2Fixture("256M", options: ["cluster_size=4096"])
        do {
            let disk = try fixture.open(.write).disk
            let transaction = try HostTransaction(disk.hostFiles, memoryLimit: .max)
            let allocation = try disk.allocate(0..<32 << 20)
            #expect(allocation.range == 0..<32 << 20)
            try disk.flush()
            #expect(transaction.isEmpty == false)
            let extent = try disk.map.extent(at: 5)
            #expect(
                extent
                    == Extent(range: 5..<16 << 20, kind: .plain(file: 0, offset: allocation.offset + 5)))
            let flushes = transaction.recordedOperations.filter { $0 == .flush(file: 0) }.count
            #expect(flushes <= 4)
            try transaction.commit()
        }
        try fixture.check()
    }

    @Test func autoclearBitsAreClearedByTheFirstWriteOnly() throws {
        let fixture = try QCOW2Fixture("4M", commands: ["write -P 1 0 64k"])
        try Tool.run("qemu-img", ["bitmap", "--add", fixture.path, "backup"])
        #expect(try fixture.fileContents[95] == 1)
        do {
            let image = try fixture.open(.write)
            #expect(image.info.warnings.contains { $0.contains("bitmaps") })
            try image.disk.flush()
        }
        #expect(try fixture.fileContents[95] == 1)
        do {
            let disk = try fixture.open(.write).disk
            try disk.write([2], at: 0)
            try disk.flush()
        }
        #expect(try fixture.fileContents[95] == 0)
        try fixture.checkForErrors()
    }

    @Test func clustersThatOthersShareAreCopied() throws {
        // As a snapshot leaves them: refcounts of 2 and no COPIED flag. The snapshot itself is taken out of the
        // header, so what it had leaks and must stay as it was.
        let fixture = try QCOW2Fixture("8M", commands: ["write -P 5 0 1M"])
        try Tool.run("qemu-img", ["snapshot", "-c", "s", fixture.path])
        try fixture.patch { $0.replaceSubrange(60..<72, with: [UInt8](repeating: 0, count: 12)) }
        let before = try fixture.fileContents
        do {
            let disk = try fixture.open(.write).disk
            try disk.write([UInt8](repeating: 6, count: 1000), at: 100_000)
            try disk.flush()
        }
        try fixture.checkForErrors()
        let after = try fixture.fileContents
        let l1 = Int(before.big(40, as: UInt64.self))
        let mask: UInt64 = 0x00ff_ffff_ffff_fe00
        #expect(before.big(l1, as: UInt64.self) & mask != after.big(l1, as: UInt64.self) & mask)
        // The old L2 table and the old cluster are untouched.
        let table = Int(before.big(l1, as: UInt64.self) & mask)
        #expect(before[table..<table + 65536] == after[table..<table + 65536])
        let cluster = Int(before.big(table + 8, as: UInt64.self) & mask)
        #expect(after[cluster..<cluster + 65536].allSatisfy { $0 == 5 })
        var expected = [UInt8](repeating: 5, count: 1 << 20)
        expected.replaceSubrange(100_000..<101_000, with: [UInt8](repeating: 6, count: 1000))
        #expect(try Array(fixture.bytesByQEMU().prefix(1 << 20)) == expected)
    }

    @Test func anImageOpenedForReadingIsNotWritten() throws {
        let fixture = try QCOW2Fixture("1M")
        let disk = try fixture.open().disk
        #expect(!disk.isWritable)
        #expect(throws: StorageError.self) { try disk.write([1], at: 0) }
    }

    /// A table's own refcount block is noted before the table: every one must be found all the same.
    @Test func tablesAreKnownInWhateverOrderTheyCome() {
        var known = QCOW2MetadataClusters([0, 1, 2])
        for cluster: UInt64 in [6, 5, 9, 4, 12, 11, 3] { known.add(cluster) }
        for cluster: UInt64 in 0..<14 {
            let isTable = ![7, 8, 10, 13].contains(cluster)
            #expect(known.intersects(cluster..<cluster + 1) == isTable, "\(cluster)")
        }
        #expect(known.intersects(7..<10) && !known.intersects(7..<9))
    }
}
