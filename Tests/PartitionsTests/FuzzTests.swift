internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing

/// Damaged tables, superblocks and metadata: typed errors or findings, never a trap, never without end. Every
/// failing case names its seed.
struct FuzzTests {
    /// Changes a few bytes near the given places: bits, bytes, and words to numbers that overflow things.
    private func mutate(_ bytes: inout [UInt8], near places: [Int], _ random: inout SeededRandom) {
        let nasty: [UInt64] = [
            0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 32, 1 << 63, .max, .max - 511,
        ]
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            guard let place = places.randomElement(using: &random) else { return }
            let offset = max(0, min(bytes.count - 8, place + Int.random(in: 0..<512, using: &random)))
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[offset] = UInt8.random(in: 0...255, using: &random)
            case 2:
                bytes.storeLittle(
                    UInt32(truncatingIfNeeded: nasty.randomElement(using: &random) ?? 0), at: offset & ~3)
            default: bytes.storeLittle(nasty.randomElement(using: &random) ?? 0, at: offset & ~7)
            }
        }
    }

    /// Discovers, reads the ends of every volume, walks some extents, plans a repair.
    private func exercise(_ disks: [MemoryDevice], seed: UInt64) {
        do throws(StorageError) {
            let found = try VolumeDiscovery.discover(disks: disks, probe: probe)
            for volume in found.volumes {
                let device = volume.device
                guard device.byteCount > 0 else { continue }
                _ = try? device.bytes(at: 0, count: Int(min(512, device.byteCount)))
                _ = try? device.bytes(at: device.byteCount - 1, count: 1)
                _ = try? device.nextExtent(at: device.byteCount / 2)
                if let device = device as? MappedDevice { try? device.write([1], at: device.byteCount - 1) }
            }
            for disk in disks { _ = try GPTRepair.plan(disk) }
        } catch {
            #expect([.corrupt, .unsupported, .refused].contains(error.kind), "seed \(seed): \(error)")
        }
    }

    private func table(_ script: String, byteCount: UInt64) throws -> [UInt8] {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("disk", byteCount: byteCount)
        try Tool.run("sfdisk", ["-q", path], input: script)
        return try fileBytes(path)
    }

    @Test func partitionTables() throws {
        let dos = try table(
            "label: dos\nstart=64, size=256, type=83\nstart=512, size=3000, type=5\nstart=576, size=128, type=83\nstart=768, size=128, type=82\nstart=1024, size=256, type=a5\n",
            byteCount: 2 << 20)
        let gpt = try table("label: gpt\nstart=64, size=256\nstart=512, size=1024\n", byteCount: 2 << 20)
        for seed in 0..<300 as Range<UInt64> {
            var random = SeededRandom(seed)
            var bytes = seed % 2 == 0 ? dos : gpt
            let places =
                seed % 2 == 0
                ? [446 - 100, 512 * 512, 704 * 512, 960 * 512, 1024 * 512 + 512]
                : [512, 1024, 1152, bytes.count - 512, bytes.count - 33 * 512]
            mutate(&bytes, near: places, &random)
            if seed % 2 == 1, seed % 3 == 0 {
                // Checksums made right again, so that the numbers behind them are used.
                let size = Int(min(bytes.little(512 + 12, as: UInt32.self), 512))
                if size >= 92 {
                    bytes.storeLittle(CRC32.checksum(Array(bytes[1024..<1024 + 16384]).span8), at: 512 + 88)
                    bytes.storeLittle(UInt32(0), at: 512 + 16)
                    bytes.storeLittle(CRC32.checksum(Array(bytes[512..<512 + size]).span8), at: 512 + 16)
                }
            }
            exercise([MemoryDevice(bytes)], seed: seed)
        }
    }

    @Test func lvmText() throws {
        let uuids = [LVMFixture.first, LVMFixture.second]
        let images = ["a", "b"].enumerated().map {
            LVMFixture.linear("\($1)m", "\"pv\($0)\", 0", count: 1, hidden: true)
                + LVMFixture.linear("\($1)i", "\"pv\($0)\", 1", hidden: true)
        }.joined()
        let text = LVMFixture.group(
            physical: uuids,
            logical: images
                + LVMFixture.volume(
                    "r1", "type = \"raid1\"\ndevice_count = 2\nraids = [\"am\", \"ai\", \"bm\", \"bi\"]")
                + LVMFixture.volume(
                    "s", "type = \"striped\"\nstripe_size = 64\nstripes = [\"pv0\", 6, \"pv1\", 6]")
                + LVMFixture.linear("l", "\"pv0\", 9"))
        let words = [
            "{", "}", "[", "]", "\"", "=", "#", ",", "-1", "0", "99999999999999999999", "9223372036854775807",
            "1e9",
            "\"pv0\"", "\"r1\"", "\"raid10\"", "\"raid6\"", "\"snapshot\"", "\"mirror\"", "\u{0}", "\\",
        ]
        for seed in 0..<300 as Range<UInt64> {
            var random = SeededRandom(seed)
            var pieces = text.split(separator: " ", omittingEmptySubsequences: false).map { String($0) }
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<pieces.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: pieces[at] = words.randomElement(using: &random) ?? ""
                case 1: pieces.remove(at: at)
                default: pieces.insert(pieces.randomElement(using: &random) ?? "", at: at)
                }
            }
            let changed = pieces.joined(separator: " ")
            exercise(uuids.map { MemoryDevice(LVMFixture($0).bytes(changed)) }, seed: seed)
        }
    }

    @Test func deepAndLongText() throws {
        for text in [
            String(repeating: "a {\n", count: 100_000), String(repeating: "[", count: 100_000),
            "vg { id = \"x",
            "vg {\n" + String(repeating: "x = [ \"y\", 1 ]\n", count: 20000) + "}",
            LVMFixture.group(
                physical: [LVMFixture.first],
                logical: (0..<40).map { LVMFixture.linear("l\($0)", "\"l\($0 + 1)\", 0") }.joined()),
        ] {
            exercise([MemoryDevice(LVMFixture(LVMFixture.first).bytes(text))], seed: 0)
        }
        let nested = LVMFixture(LVMFixture.first).bytes(String(repeating: "a {\n", count: 1000))
        #expect(try discover(MemoryDevice(nested)).codes.contains("mda-parse"))
    }

    @Test func lvmHeaders() throws {
        let text = LVMFixture.group(
            physical: [LVMFixture.first], logical: LVMFixture.linear("l", "\"pv0\", 0"))
        let sound = LVMFixture(LVMFixture.first, megabytes: 8).bytes(text)
        for seed in 0..<200 as Range<UInt64> {
            var random = SeededRandom(seed)
            var bytes = sound
            mutate(&bytes, near: [512 + 16, 4096 + 8], &random)
            // Both checksums right again.
            bytes.storeLittle(LVMFixture.checksum(bytes[532..<1024]), at: 528)
            bytes.storeLittle(LVMFixture.checksum(bytes[4100..<4608]), at: 4096)
            exercise([MemoryDevice(bytes)], seed: seed)
        }
    }

    @Test func mdSuperblocks() throws {
        for seed in 0..<200 as Range<UInt64> {
            var random = SeededRandom(seed)
            let format = [MDFixture.Format.old, .end, .start, .usual][Int(seed % 4)]
            let disks = (0..<3).map { role -> MemoryDevice in
                var member = MDFixture(format: format)
                (member.role, member.members, member.byteCount) = (role, 3, 2 << 20)
                member.level = [0, 1, 10, 5, 6, -1, 4].randomElement(using: &random) ?? 1
                member.layout = [0, 2, 0x102, 0x201, 0x10201, 0xffff_ffff].randomElement(using: &random) ?? 0
                member.chunkSectors = [0, 1, 128, .max].randomElement(using: &random) ?? 0
                member.members = [1, 3, 4, 26].randomElement(using: &random) ?? 3
                return MemoryDevice(member.bytes())
            }
            exercise(disks, seed: seed)
        }
    }

    @Test func mdNumbers() {
        for seed in 0..<300 as Range<UInt64> {
            var random = SeededRandom(seed)
            var bytes = MDFixture(
                level: [0, 1, 10, 5].randomElement(using: &random) ?? 1, byteCount: 2 << 20
            ).bytes()
            for _ in 0..<3 {
                let field = [8, 72, 76, 80, 88, 92, 104, 128, 136, 152, 160, 200, 208, 256].randomElement(
                    using: &random)
                let value: UInt64 =
                    [0, 1, 2, 127, 4095, 1 << 31, .max >> 1, .max].randomElement(using: &random) ?? 0
                bytes.storeLittle(value, at: 4096 + (field ?? 80))
            }
            bytes.storeLittle(UInt32(0), at: 4096 + 216)
            bytes.storeLittle(UInt32(4), at: 4096 + 220)
            var sum: UInt64 = 0
            for offset in stride(from: 0, to: 264, by: 4) {
                sum += UInt64(bytes.little(4096 + offset, as: UInt32.self))
            }
            bytes.storeLittle(UInt32(truncatingIfNeeded: (sum & 0xffff_ffff) + (sum >> 32)), at: 4096 + 216)
            exercise([MemoryDevice(bytes)], seed: seed)
        }
    }

    @Test func noise() {
        for seed in 0..<60 as Range<UInt64> {
            var random = SeededRandom(seed)
            let count = [0, 1, 511, 512, 513, 1024, 4096, 70_000, 200_001].randomElement(using: &random) ?? 0
            var bytes = random.bytes(count)
            if count >= 512 { (bytes[510], bytes[511]) = (0x55, 0xaa) }
            exercise([MemoryDevice(bytes)], seed: seed)
        }
    }

    /// Signatures with rubbish around them.
    @Test func superblocks() throws {
        let directory = try TemporaryDirectory()
        let makers: [(String, [String])] = [
            ("mkfs.vfat", ["-C", "FILE", "4096"]), ("mkfs.vfat", ["-F", "32", "-C", "FILE", "40000"]),
            ("mke2fs", ["-q", "FILE", "4m"]), ("mkswap", ["-q", "FILE"]),
            ("mkfs.ntfs", ["-F", "-Q", "FILE"]),
        ]
        for (index, (tool, arguments)) in makers.enumerated() where Tool.has(tool) {
            let path = directory.path("fs\(index)")
            if !arguments.contains("-C") { _ = try directory.sparse("fs\(index)", byteCount: 4 << 20) }
            try Tool.run(tool, arguments.map { $0 == "FILE" ? path : $0 })
            let sound = try fileBytes(path)
            for seed in 0..<40 as Range<UInt64> {
                var random = SeededRandom(seed)
                var bytes = sound
                mutate(&bytes, near: [0, 0, 1024, 4000, 16384, 32768], &random)
                exercise([MemoryDevice(bytes)], seed: seed)
            }
        }
    }
}
