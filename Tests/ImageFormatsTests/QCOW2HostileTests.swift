import Glibc
import ImageFormats
import Storage
import TestSupport
import Testing

/// Damaged on purpose: whatever the bytes say, reading and writing end with a result or a typed error.
@Suite(.enabled(if: Tool.has("qemu-img", "qemu-io"), "qemu-utils is not installed"))
struct QCOW2HostileTests {
    /// Reads all, then writes here and there, and commits.
    static func use(_ path: String, write: Bool) {
        do throws(StorageError) {
            let image = try ImageProbe.open(
                path, format: .qcow2, options: ImageOpenOptions(access: write ? .write : .read))
            let disk = image.disk
            let size = disk.byteCount
            var position: UInt64 = 0
            for _ in 0..<200 where position < size {
                let extent = try disk.nextExtent(at: position)
                guard extent.range.lowerBound == position, !extent.range.isEmpty,
                    extent.range.upperBound <= size
                else {
                    Issue.record("the extent \(extent.range) at \(position)")
                    return
                }
                position = extent.range.upperBound
            }
            for offset in [0, size / 3, size / 2, max(size, 4096) - 4096] where offset < size {
                let count = Int(min(4096, size - offset))
                _ = try? disk.bytes(at: offset, count: count)
                guard write else { continue }
                try? disk.write([UInt8](repeating: 7, count: count), at: offset)
            }
            if write { try disk.flush() }
        } catch {
            #expect(!error.code.isEmpty && !error.message.isEmpty)
        }
    }

    static let images: [[String]] = [
        ["-o", "cluster_size=4096"], ["-c", "-o", "cluster_size=512"],
        ["-c", "-o", "compat=0.10,cluster_size=1024"],
        ["-c", "-o", "compression_type=zstd,cluster_size=4096"], ["-o", "cluster_size=512,refcount_bits=1"],
    ]

    @Test(arguments: images)
    func randomDamageEndsInATypedError(arguments: [String]) throws {
        let fixture = try QCOW2Fixture(of: patternedBytes(300 << 10, seed: 51), arguments: arguments)
        let whole = try fixture.fileContents
        let mask: UInt64 = 0x00ff_ffff_ffff_fe00
        let l1 = Int(whole.big(40, as: UInt64.self))
        let table = Int(whole.big(48, as: UInt64.self))
        let places = [
            0..<120, l1..<l1 + 64, table..<table + 64,
            Int(whole.big(l1, as: UInt64.self) & mask)..<Int(whole.big(l1, as: UInt64.self) & mask) + 512,
            Int(whole.big(table, as: UInt64.self))..<Int(whole.big(table, as: UInt64.self)) + 512,
        ]
        var random = SeededRandom(61 + QCOW2Effort.seed)
        for round in 0..<150 * QCOW2Effort.factor {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                // The magic number and version stay, or nothing else would be looked at.
                let place = places[Int.random(in: 0..<places.count, using: &random)]
                let at = max(8, Int.random(in: place, using: &random))
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 2 where at + 8 <= bytes.count:
                    bytes.replaceSubrange(at..<at + 8, with: [UInt8](repeating: 0xff, count: 8))
                default:
                    // An entry of one table in another.
                    let from = places[Int.random(in: 1..<places.count, using: &random)].lowerBound
                    let to = at & ~7
                    if to + 8 <= bytes.count {
                        bytes.replaceSubrange(to..<to + 8, with: bytes[from..<from + 8])
                    }
                }
            }
            if round % 10 == 9 {
                bytes = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
            }
            try fixture.directory.write("disk.qcow2", bytes)
            Self.use(fixture.path, write: round % 2 == 1)
        }
    }

    @Test func tablesThatOverlapAreFoundBeforeAnythingIsWritten() throws {
        let fixture = try QCOW2Fixture("64M", options: ["cluster_size=4096"], commands: ["write 0 4M"])
        let bytes = try fixture.fileContents
        let mask: UInt64 = 0x00ff_ffff_ffff_fe00
        let l1 = bytes.big(40, as: UInt64.self)
        let table = bytes.big(48, as: UInt64.self)
        let block = bytes.big(Int(table), as: UInt64.self)
        let copied: UInt64 = 1 << 63
        let l2 = Int(bytes.big(Int(l1), as: UInt64.self) & mask)
        func refused(_ code: String, _ change: (inout [UInt8]) -> Void) throws -> Bool {
            var damaged = bytes
            damaged[95] = 0x80
            change(&damaged)
            try fixture.directory.write("disk.qcow2", damaged)
            let isRefused = throwsCode(code) { try fixture.open(.write).disk.write([1], at: 0) }
            // The autoclear bit goes before the first change, so that it too tells whether anything was written.
            return try isRefused && fixture.fileContents == damaged
        }
        // Two L1 entries, one table.
        #expect(try refused("metadata-overlap") { $0.storeBig(UInt64(l2) | copied, at: Int(l1) + 8) })
        // An L2 table in the refcount table, in a refcount block, in the L1 table, in the header.
        for offset in [table, block, l1] {
            #expect(try refused("metadata-overlap") { $0.storeBig(offset | copied, at: Int(l1) + 8) })
        }
        #expect(try refused("metadata-overlap") { $0.storeBig(l1, at: Int(table) + 8) })
        #expect(try refused("refcount-block-offset") { $0.storeBig(0x1200 as UInt64, at: Int(table) + 8) })
        #expect(try refused("refcount-block-offset") { $0.storeBig(1 << 50 as UInt64, at: Int(table) + 8) })
        #expect(try refused("no-refcount-table") { $0.storeBig(1 << 40 as UInt64, at: 48) })
        #expect(try refused("no-refcount-table") { $0.storeBig(0 as UInt32, at: 56) })
        // Guest data in a table.
        for offset in [table, block, l1, UInt64(l2)] {
            #expect(try refused("cluster-overlaps-metadata") { $0.storeBig(offset | copied, at: l2) })
        }
        #expect(try refused("cluster-overlaps-metadata") { $0.storeBig(l1, at: l2) })
        // Refcounts that contradict the entries.
        let cluster = bytes.big(l2, as: UInt64.self) & mask
        let count = Int(block) + Int(cluster >> 12) * 2
        #expect(try refused("copied-flag") { $0.storeBig(2 as UInt16, at: count) })
        #expect(
            try refused("refcount-zero") {
                $0.storeBig(0 as UInt16, at: count)
                $0.storeBig(cluster, at: l2)
            })
        let l2Count = Int(block) + l2 >> 12 * 2
        #expect(
            try refused("copied-flag") {
                $0.storeBig(2 as UInt16, at: l2Count)
                $0.storeBig(cluster, at: l2)
            })
        // A count far past the file's end.
        #expect(
            try refused("refcount-beyond-end") {
                let far = Int(block) + 2 * 2000
                $0.storeBig(UInt64(l2) + 4096, at: Int(table) + 8 * 100)
                $0.storeBig(1 as UInt16, at: far)
            })
    }

    @Test func leakedCountsPastTheEndAreSkipped() throws {
        let fixture = try QCOW2Fixture("8M", commands: ["write -P 1 0 64k"])
        let bytes = try fixture.fileContents
        let block = Int(bytes.big(Int(bytes.big(48, as: UInt64.self)), as: UInt64.self))
        let end = (bytes.count + 65535) / 65536
        try fixture.patch { $0.storeBig(1 as UInt16, at: block + (end + 3) * 2) }
        do {
            let disk = try fixture.open(.write).disk
            try disk.write([UInt8](repeating: 2, count: 65536), at: 1 << 20)
            try disk.flush()
            #expect(
                try disk.map.extent(at: 1 << 20).kind == .plain(file: 0, offset: UInt64(end + 4) * 65536))
        }
        try fixture.checkForErrors()
    }

    @Test func spaceComesInWholeClusters() throws {
        let fixture = try QCOW2Fixture("8M")
        let disk = try fixture.open(.write).disk
        for range in [5..<65536, 0..<70_000, 0..<16 << 20, 65536..<65536] as [Range<UInt64>] {
            let error = #expect(throws: StorageError.self) { try disk.allocate(range) }
            #expect(error?.code == "unaligned-allocation")
        }
    }

    @Test func aFailedCommitEndsTheSession() async throws {
        // In a process of its own, where no file may grow.
        await #expect(processExitsWith: .success) {
            let fixture = try QCOW2Fixture("8M")
            let before = try fixture.fileContents
            do {
                let disk = try fixture.open(.write).disk
                _ = try disk.allocate(0..<1 << 20)
                signal(SIGXFSZ, SIG_IGN)
                let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
                var limit = rlimit()
                guard unsafe getrlimit(resource, &limit) == 0 else { exit(2) }
                limit.rlim_cur = rlim_t(before.count)
                guard unsafe setrlimit(resource, &limit) == 0 else { exit(2) }
                #expect(throws: StorageError.self) { try disk.flush() }
                #expect(throwsCode("session-failed") { try disk.flush() })
                #expect(throwsCode("session-failed") { try disk.allocate(1 << 20..<2 << 20) })
            }
            guard try fixture.fileContents == before else { exit(3) }
        }
    }

    @Test func aFileTooLargeForItsRefcountTableIsRefused() throws {
        let fixture = try QCOW2Fixture("8M", options: ["cluster_size=512", "refcount_bits=64"])
        try Tool.run("truncate", ["-s", "40G", fixture.path])
        #expect(
            throwsCode("file-too-large") {
                try fixture.open(.write).disk.write([UInt8](repeating: 1, count: 512), at: 0)
            })
    }

    @Test func largeTablesAreReadInPieces() throws {
        // 32 MiB of L1 table, 8 MiB of refcount table: holes in a file that occupies next to nothing.
        let fixture = try QCOW2Fixture("8M", options: ["cluster_size=512"])
        try fixture.patch {
            $0.storeBig(128 << 30 as UInt64, at: 24)
            $0.storeBig(4 << 20 as UInt32, at: 36)
            $0.storeBig(64 << 20 as UInt64, at: 40)
        }
        try Tool.run("truncate", ["-s", "128M", fixture.path])
        let disk = try fixture.open(.write).disk
        var position: UInt64 = 0
        while position < disk.byteCount { position = try disk.nextExtent(at: position).range.upperBound }
        try disk.write([1], at: 100 << 30)
        try disk.flush()
        #expect(try disk.bytes(at: (100 << 30) - 1, count: 3) == [0, 1, 0])
    }
}
