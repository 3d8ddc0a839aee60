internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing

/// What is a table, what only looks like one, and what a table counts in.
struct MBRTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// An MBR with one entry.
    private func mbr(_ type: UInt8, _ start: UInt32, _ count: UInt32, flag: UInt8 = 0) -> [UInt8] {
        var sector = [UInt8](repeating: 0, count: 512)
        sector.storeLittle(UInt32(0xcafe_0001), at: 440)
        sector[446] = flag
        sector[450] = type
        sector.storeLittle(start, at: 454)
        sector.storeLittle(count, at: 458)
        sector.put([0x55, 0xaa], at: 510)
        return sector
    }

    private func fileSystem(_ tool: String, _ arguments: [String], byteCount: UInt64) throws -> [UInt8] {
        let path = try directory.sparse("fs", byteCount: byteCount)
        try Tool.run(tool, arguments + [path])
        return try fileBytes(path)
    }

    @Test func bootSectorsAreNoTables() throws {
        for (tool, arguments) in [
            ("mkfs.vfat", ["-F", "16"]), ("mkfs.vfat", ["-F", "12"]), ("mkfs.ntfs", ["-F", "-Q"]),
        ]
        where Tool.has(tool) {
            var bytes = try fileSystem(tool, arguments, byteCount: 16 << 20)
            // Boot code that happens to look like an entry.
            bytes.put(Array(mbr(0x83, 64, 1024)[446..<462]), at: 446)
            let found = try discover(MemoryDevice(bytes))
            #expect(found.disks[0].table.kind == .none, "\(tool)")
            #expect(found.volumes.map(\.name) == ["disk"])
        }
    }

    @Test func fileSystemWithABootLoader() throws {
        // GRUB in the boot sector of a whole-disk file system: 55 AA, and no entry that makes sense.
        var bytes = try fileSystem("mke2fs", ["-q", "-F", "-L", "root"], byteCount: 4 << 20)
        for index in 0..<446 { bytes[index] = UInt8(truncatingIfNeeded: index &* 13) }
        bytes.put([0x55, 0xaa], at: 510)
        #expect(try discover(MemoryDevice(bytes)).volumes.map(\.identity.kind) == [.ext2])
        bytes[446] = 0x33
        bytes.put(Array(mbr(0x83, 64, 1024)[450..<462]), at: 450)
        #expect(try discover(MemoryDevice(bytes)).disks[0].table.kind == .none)
        // A real entry is a table, whatever is left of a file system: the leftover is told.
        bytes.put(mbr(0x83, 2048, 2048), at: 0)
        let found = try discover(MemoryDevice(bytes))
        #expect(found.volumes.map(\.name) == ["p1"])
        #expect(found.disks[0].contents.map(\.kind) == [.ext2])
    }

    @Test func emptyAndForeignSectors() throws {
        func kind(_ sector: [UInt8]) throws -> PartitionTable.Kind {
            try discover(MemoryDevice(sector + [UInt8](repeating: 0, count: 1 << 20))).disks[0].table.kind
        }
        #expect(try kind(mbr(0, 0, 0)) == .dos)
        #expect(try kind([UInt8](repeating: 0, count: 512)) == .none)
        #expect(try kind(mbr(0x83, 100, 100, flag: 1)) == .none)
        #expect(try kind(mbr(0x83, 1_000_000, 100)) == .none)
        #expect(try kind(mbr(0x83, 0, 100)) == .none)
        var aix = mbr(0x83, 100, 100)
        aix.put([0xc9, 0xc2, 0xd4, 0xc1], at: 0)
        #expect(try kind(aix) == .none)
    }

    @Test func sectorsOf4096() throws {
        let fs = try fileSystem("mke2fs", ["-q", "-F"], byteCount: 2 << 20)
        var bytes = [UInt8](repeating: 0, count: 8 << 20)
        bytes.put(mbr(0x83, 256, 512), at: 0)
        bytes.put(fs, at: 1 << 20)
        // A disk with sectors of 4096 bytes, and an image file that does not say so.
        for sectorSize in [4096, 512] as [UInt32] {
            let found = try discover(MemoryDevice(bytes, sectorSize: sectorSize))
            #expect(found.disks[0].table.sectorSize == 4096)
            #expect(found.volume(named: "p1")?.identity.kind == .ext2)
            #expect(found.volume(named: "p1")?.device.byteCount == 2 << 20)
            #expect(found.codes.contains("mbr-other-sector-size") == (sectorSize == 512))
        }
        // And the other way round: a 512-byte table on a device that claims 4096.
        bytes = [UInt8](repeating: 0, count: 8 << 20)
        bytes.put(mbr(0x83, 512, 4096), at: 0)
        bytes.put(fs, at: 512 * 512)
        let found = try discover(MemoryDevice(bytes, sectorSize: 4096))
        #expect(found.disks[0].table.sectorSize == 512)
        #expect(found.volume(named: "p1")?.identity.kind == .ext2)
    }

    @Test func truncatedImage() throws {
        var bytes = [UInt8](repeating: 0, count: 2 << 20)
        bytes.put(mbr(0x83, 2048, 8192), at: 0)
        bytes.put(Array(mbr(0x82, 20480, 8192)[446..<462]), at: 462)
        let found = try discover(MemoryDevice(bytes))
        #expect(found.layout == ["1 2048+8192 83", "2 20480+8192 82"])
        #expect(found.codes == ["partition-past-end", "partition-past-end"])
        #expect(found.volumes.map(\.name) == ["p1"])
        #expect(found.volumes[0].device.byteCount == 1 << 20)
    }

    @Test func leftOverGPT() throws {
        let path = try directory.sparse("disk", byteCount: 4 << 20)
        try Tool.run("sfdisk", ["-q", path], input: "label: gpt\nstart=2048, size=2048, name=old\n")
        let gpt = try fileBytes(path)
        // A new MBR without a protective entry.
        var bytes = gpt
        bytes.put(mbr(0x83, 4096, 2048), at: 0)
        var found = try discover(MemoryDevice(bytes))
        #expect(found.layout == ["1 4096+2048 83"] && found.codes == ["gpt-left-over"])
        #expect(try GPTRepair.plan(MemoryDevice(bytes)) == nil)
        // A file system over the whole disk; the backup at the end survives mke2fs.
        try Tool.run("mke2fs", ["-q", "-F", "-b", "1024", path, "2048"])
        bytes = try fileBytes(path)
        bytes.put(Array(gpt.suffix(33 * 512)), at: bytes.count - 33 * 512)
        found = try discover(MemoryDevice(bytes))
        #expect(found.volumes.map(\.identity.kind) == [.ext2] && found.codes == ["gpt-left-over"])
        #expect(try GPTRepair.plan(MemoryDevice(bytes)) == nil)
    }

    @Test func overlapsAndSecondDisk() throws {
        var bytes = [UInt8](repeating: 0, count: 4 << 20)
        bytes.put(mbr(0x83, 2048, 2048), at: 0)
        bytes.put(Array(mbr(0x83, 3000, 2048)[446..<462]), at: 462)
        let found = try discover(MemoryDevice(bytes), MemoryDevice(byteCount: 1 << 20), MemoryDevice(bytes))
        #expect(found.volumes.map(\.name) == ["p1", "p2", "2:disk", "3:p1", "3:p2"])
        #expect(found.findings.map(\.code) == ["partitions-overlap", "partitions-overlap"])
        #expect(found.findings.map(\.disk) == [0, 2])
        #expect(found.volumes[3].partitionUUID == "cafe0001-01")
    }

    @Test func dynamicDisks() throws {
        var bytes = [UInt8](repeating: 0, count: 4 << 20)
        bytes.put(mbr(0x42, 63, 4096), at: 0)
        #expect(try discover(MemoryDevice(bytes)).volumes.map(\.identity.kind.rawValue) == ["LDM_member"])
    }
}
