import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// Our verdict beside that of qemu-img check: 0 clean, 2 errors, 3 leaks alone.
@Suite(.enabled(if: Tool.has("qemu-img", "qemu-io"), "qemu-utils is not installed"))
struct QCOW2CheckTests {
    private func verdicts(_ path: String) throws -> (ours: Int32, qemu: Int32) {
        var worst: Int32 = 0
        try ImageProbe.check(path, format: .qcow2, locking: .ignore) { finding in
            if finding.severity == .damage { worst = 2 }
            if finding.severity == .leak, worst == 0 { worst = 3 }
        }
        return (worst, try Tool.run("qemu-img", ["check", "-f", "qcow2", path], expect: nil).status)
    }

    @Test(arguments: [
        [], ["-c"], ["-o", "cluster_size=512"], ["-o", "cluster_size=2M"], ["-c", "-o", "compat=0.10"],
        ["-o", "refcount_bits=1"], ["-o", "refcount_bits=64,cluster_size=1024"],
    ])
    func imagesByQEMUAreClean(arguments: [String]) throws {
        let fixture = try QCOW2Fixture(of: patternedBytes(3 << 20, seed: 2), arguments: arguments)
        #expect(try verdicts(fixture.path) == (0, 0))
    }

    @Test func snapshotsCount() throws {
        let fixture = try QCOW2Fixture(of: patternedBytes(3 << 20, seed: 3), arguments: ["-c"])
        for name in ["one", "two"] {
            try Tool.run("qemu-img", ["snapshot", "-c", name, fixture.path])
            try fixture.io(["write -P 7 100k 300k", "write -P 8 1M 64k"])
        }
        #expect(try verdicts(fixture.path) == (0, 0))
        try Tool.run("qemu-img", ["snapshot", "-d", "one", fixture.path])
        #expect(try verdicts(fixture.path) == (0, 0))
        // Without its snapshot table every cluster that only the snapshot has leaks, and flags are wrong.
        try fixture.patch { $0.replaceSubrange(60..<72, with: [UInt8](repeating: 0, count: 12)) }
        let (ours, qemu) = try verdicts(fixture.path)
        #expect(ours == qemu && ours != 0)
    }

    @Test func bitmapsCountWhileTheHeaderVouchesForThem() throws {
        let fixture = try QCOW2Fixture(
            of: patternedBytes(3 << 20, seed: 5), arguments: ["-o", "cluster_size=4096"])
        for (name, granularity) in [("nightly", "512"), ("a-longer-name", "65536")] {
            try Tool.run(
                "qemu-img", ["bitmap", "--add", "-g", granularity, "-f", "qcow2", fixture.path, name])
        }
        try fixture.io(["write -P 7 100k 300k", "write -P 8 2M 64k"])
        #expect(try verdicts(fixture.path) == (0, 0))
        let clean = try fixture.fileContents
        // Nobody vouches for them: they are not looked at, and their clusters leak.
        try fixture.patch { $0.storeBig(UInt64(0), at: 88) }
        #expect(try verdicts(fixture.path) == (3, 3))
        // The directory moved into a table.
        guard let place = (104..<512).first(where: { clean.big($0, as: UInt32.self) == 0x2385_2875 }) else {
            Issue.record("no bitmaps extension")
            return
        }
        let directory = Int(clean.big(place + 24, as: UInt64.self))
        for (offset, value) in [(place + 24, UInt64(1) << 40), (directory, clean.big(40)), (directory, 7)] {
            var bytes = clean
            bytes.storeBig(value, at: offset)
            try fixture.directory.write("disk.qcow2", bytes)
            #expect(try verdicts(fixture.path).ours == 2)
        }
    }

    /// One table, entry or count changed at a time, by seed.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func damageIsJudgedAsByQEMU(seed: UInt64) throws {
        let fixture = try QCOW2Fixture(
            of: patternedBytes(400 << 10, seed: 4), arguments: ["-o", "cluster_size=4096"])
        let clean = try fixture.fileContents
        let l1 = Int(clean.big(40, as: UInt64.self))
        let l2 = Int(clean.big(l1, as: UInt64.self) & 0x00ff_ffff_ffff_fe00)
        let table = Int(clean.big(48, as: UInt64.self))
        let block = Int(clean.big(table, as: UInt64.self))
        let clusters = clean.count / 4096
        var random = SeededRandom(seed + 100)
        for _ in 0..<12 {
            var bytes = clean
            let cluster = Int.random(in: 0..<clusters, using: &random)
            let entry = l2 + 8 * Int.random(in: 0..<100, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            // A count that is too high, or too low.
            case 0: bytes.storeBig(UInt16.random(in: 0...3, using: &random), at: block + 2 * cluster)
            // An entry that is lost: its cluster leaks.
            case 1: bytes.storeBig(UInt64(0), at: entry)
            // Two entries with one cluster, or one with a table's.
            case 2: bytes.storeBig(UInt64(cluster) << 12 | 1 << 63, at: entry)
            // The flag alone.
            case 3: bytes[entry] ^= 0x80
            case 4: bytes[l1] ^= 0x80
            // Past the end.
            default: bytes.storeBig(UInt64(clusters + 50) << 12 | 1 << 63, at: entry)
            }
            try fixture.directory.write("disk.qcow2", bytes)
            let (ours, qemu) = try verdicts(fixture.path)
            #expect(ours == qemu, "seed \(seed)")
        }
    }

    @Test func leaksAreGivenBackAndDamageIsLeftAlone() throws {
        let fixture = try QCOW2Fixture(
            of: patternedBytes(400 << 10, seed: 4), arguments: ["-o", "cluster_size=4096"])
        let clean = try fixture.fileContents
        let table = Int(clean.big(48, as: UInt64.self))
        let block = Int(clean.big(table, as: UInt64.self))
        try fixture.patch { bytes in
            for slot in [900, 901, 950] { bytes.storeBig(UInt16(1), at: block + 2 * slot) }
        }
        try fixture.directory.write("leaking", try fixture.fileContents)
        do {
            let file = try HostFile.open(fixture.path, access: .write)
            #expect(try QCOW2Driver.repair(.leaks, file) == ["gave 3 leaked clusters back"])
        }
        #expect(isSame(try fixture.fileContents, clean))
        try fixture.patch { $0.storeBig(UInt16(0), at: block) }
        let damaged = try fixture.fileContents
        #expect(
            throwsCode("damaged-not-repaired") {
                try QCOW2Driver.repair(.leaks, try HostFile.open(fixture.path, access: .write))
            })
        #expect(isSame(try fixture.fileContents, damaged))
    }
}
