internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing

/// Volumes with more than one signature: every one is reported, the likelier first.
struct AmbiguityTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func kinds(_ bytes: [UInt8]) throws -> [String] {
        try probe.candidates(MemoryDevice(bytes)).map(\.kind.rawValue)
    }

    private func ext4() throws -> [UInt8] {
        let path = try directory.sparse("ext4", byteCount: 4 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-O", "extent,metadata_csum", path])
        return try fileBytes(path)
    }

    @Test func physicalVolumeOverAFileSystem() throws {
        let text = LVMFixture.group(physical: [LVMFixture.first], logical: "")
        let volume = LVMFixture(LVMFixture.first, megabytes: 4).bytes(text)
        var bytes = volume
        bytes.put(Array(try ext4()[1024..<2048]), at: 1024)
        #expect(try kinds(bytes) == ["LVM2_member", "ext4"])
        // mke2fs over a physical volume overwrites its metadata and may leave the label.
        bytes = try ext4()
        bytes.put(Array(volume[512..<1024]), at: 512)
        #expect(try kinds(bytes) == ["ext4", "LVM2_member"])
        #expect(try discover(MemoryDevice(bytes)).codes == ["ambiguous-volume"])
    }

    @Test func luksFirst() throws {
        var bytes = try ext4()
        bytes.put(Array("LUKS".utf8) + [0xba, 0xbe, 0, 1], at: 0)
        bytes.put(Array("e5f398d9-39da-4b6a-9ac3-e085a9394e7c".utf8), at: 168)
        #expect(try kinds(bytes) == ["crypto_LUKS", "ext4"])
        let found = try probe.candidates(MemoryDevice(bytes))
        #expect(found[0].uuid == "e5f398d9-39da-4b6a-9ac3-e085a9394e7c" && found[0].version == "1")
    }

    @Test func damagedSuperblockIsWeak() throws {
        var bytes = try ext4()
        bytes[1024 + 200] ^= 1
        #expect(try kinds(bytes) == ["ext4"])
        bytes.put(Array("hsqs".utf8), at: 0)
        bytes[28] = 4
        #expect(try kinds(bytes) == ["squashfs", "ext4"])
    }

    @Test func suspendedSwap() throws {
        let path = try directory.sparse("swap", byteCount: 1 << 20)
        try Tool.run("mkswap", ["-q", "-L", "sw", path])
        var bytes = try fileBytes(path)
        let plain = try #require(try probe.candidates(MemoryDevice(bytes)).first)
        #expect(plain.kind == .swap && !plain.isHibernated)
        bytes.put(Array("S1SUSPEND\0".utf8), at: 4086)
        let asleep = try #require(try probe.candidates(MemoryDevice(bytes)).first)
        #expect(asleep.kind == .swap && asleep.isHibernated)
        #expect(asleep.uuid == plain.uuid && asleep.label?.text == "sw")
    }

    @Test func oldSwapAndOtherByteOrder() throws {
        var bytes = [UInt8](repeating: 0, count: 1 << 17)
        bytes.put(Array("SWAP-SPACE".utf8), at: 4086)
        #expect(try probe.candidates(MemoryDevice(bytes)).first?.version == "0")
        bytes = [UInt8](repeating: 0, count: 1 << 17)
        bytes.put(Array("SWAPSPACE2".utf8), at: 65526)
        bytes.storeBig(UInt32(1), at: 1024)
        bytes.storeBig(UInt32(1), at: 1028)
        let found = try #require(try probe.candidates(MemoryDevice(bytes)).first)
        #expect(
            found.kind == .swap && found.blockSize == 65536 && found.byteCount == 131072 && found.uuid == nil)
    }

    @Test func oldMD() throws {
        // A 0.90 superblock of a big-endian machine.
        var disk = MDFixture(format: .old).bytes()
        let start = disk.count - 65536
        for word in stride(from: start, to: start + 4096, by: 4) {
            disk.storeBig(disk.little(word, as: UInt32.self), at: word)
        }
        let swapped: UInt32 = disk.little(start + 39 * 4)
        disk.storeLittle(disk.little(start + 40 * 4, as: UInt32.self), at: start + 39 * 4)
        disk.storeLittle(swapped, at: start + 40 * 4)
        let found = try discover(MemoryDevice(disk))
        #expect(found.arrays.first?.version == "0.90" && found.arrays.first?.members.first?.events == 10)
        #expect(found.volumes.first?.identity.uuid == "5a5a5a5a-5a5a-5a5a-5a5a-5a5a5a5a5a5a")
    }
}
