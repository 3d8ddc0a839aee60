internal import Storage
internal import TestSupport

/// Members of MD arrays written by hand; `mdadm --examine` judges the superblocks in the tests.
struct MDFixture {
    enum Format { case old, end, start, usual }

    var format = Format.usual
    var level: Int32 = 1
    var layout: UInt32 = 0
    var chunkSectors: UInt32 = 0
    var members = 2
    var role = 0
    var events: UInt64 = 10
    /// Roles that the superblock believes to be there.
    var active: [Int]?
    var name = "host:0"
    var uuid: UInt8 = 0x5a
    var recoveryOffset: UInt64?
    var features: UInt32 = 0
    var byteCount = 8 << 20

    /// Where the data is in the member.
    var dataOffset: Int {
        switch format {
        case .old, .end: 0
        case .start, .usual: 1 << 20
        }
    }
    /// How much of it is used.
    var dataByteCount: Int { (byteCount - dataOffset - (128 << 10)) / 65536 * 65536 }

    func bytes(_ contents: [UInt8] = []) -> [UInt8] {
        var disk = [UInt8](repeating: 0, count: byteCount)
        disk.put(contents, at: dataOffset)
        switch format {
        case .old: disk.put(oldBlock(), at: byteCount / 65536 * 65536 - 65536)
        case .end:
            disk.put(block(at: (byteCount / 512 - 16) / 8 * 8), at: (byteCount / 512 - 16) / 8 * 8 * 512)
        case .start: disk.put(block(at: 0), at: 0)
        case .usual: disk.put(block(at: 8), at: 4096)
        }
        return disk
    }

    private func block(at sector: Int) -> [UInt8] {
        let slots = max(members, 4)
        var block = [UInt8](repeating: 0, count: 256 + slots * 2)
        block.storeLittle(UInt32(0xa92b_4efc), at: 0)
        block.storeLittle(UInt32(1), at: 4)
        block.storeLittle(features | (recoveryOffset == nil ? 0 : 2), at: 8)
        for index in 16..<32 { block[index] = uuid }
        block.put(Array(name.utf8), at: 32)
        block.storeLittle(level, at: 72)
        block.storeLittle(layout, at: 76)
        block.storeLittle(UInt64(level > 0 ? dataByteCount / 512 : 0), at: 80)
        block.storeLittle(chunkSectors, at: 88)
        block.storeLittle(UInt32(members), at: 92)
        block.storeLittle(UInt64(dataOffset / 512), at: 128)
        block.storeLittle(UInt64(dataByteCount / 512), at: 136)
        block.storeLittle(UInt64(sector), at: 144)
        block.storeLittle(recoveryOffset ?? 0, at: 152)
        block.storeLittle(UInt32(role), at: 160)
        for index in 168..<184 { block[index] = UInt8(role) + 1 }
        block.storeLittle(events, at: 200)
        block.storeLittle(UInt64.max, at: 208)
        block.storeLittle(UInt32(slots), at: 220)
        for index in 0..<slots {
            let isActive = active?.contains(index) ?? (index < members)
            block.storeLittle(isActive ? UInt16(index) : 0xffff, at: 256 + index * 2)
        }
        var sum: UInt64 = 0
        for offset in stride(from: 0, to: block.count, by: 4) {
            sum += UInt64(block.little(offset, as: UInt32.self))
        }
        block.storeLittle(UInt32(truncatingIfNeeded: (sum & 0xffff_ffff) + (sum >> 32)), at: 216)
        return block
    }

    private func oldBlock() -> [UInt8] {
        var words = [UInt32](repeating: 0, count: 1024)
        words[0] = 0xa92b_4efc
        words[2] = 90
        for index in [5, 13, 14, 15] { words[index] = UInt32(uuid) * 0x0101_0101 }
        words[7] = UInt32(bitPattern: level)
        words[8] = UInt32(dataByteCount / 1024)
        words[9] = UInt32(members)
        words[10] = UInt32(members)
        words[11] = 3
        words[33] = 1
        words[34] = UInt32(members)
        words[39] = UInt32(events)
        words[64] = layout
        words[65] = chunkSectors &* 512
        for disk in 0..<members {
            let isActive = active?.contains(disk) ?? true
            words.replaceSubrange(
                128 + disk * 32..<133 + disk * 32,
                with: [UInt32(disk), 8, UInt32(disk), UInt32(disk), isActive ? 6 : 1])
        }
        words.replaceSubrange(992..<997, with: [UInt32(role), 8, UInt32(role), UInt32(role), 6])
        let sum = words.reduce(UInt64(0)) { $0 + UInt64($1) }
        words[38] = UInt32(truncatingIfNeeded: (sum & 0xffff_ffff) + (sum >> 32))
        var bytes = [UInt8](repeating: 0, count: 4096)
        for (index, word) in words.enumerated() { bytes.storeLittle(word, at: index * 4) }
        return bytes
    }
}
