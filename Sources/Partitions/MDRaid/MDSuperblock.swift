package import Storage

/// The superblock of a member of an MD array (Documentation/admin-guide/md.rst, md_p.h).
package struct MDSuperblock: Equatable, Sendable {
    /// The format, which also says where the superblock lies.
    package enum Version: String, Sendable {
        /// In the last 64 to 128 KiB; written in the machine's own byte order.
        case v0_90 = "0.90"
        /// Behind the data, 8 KiB or more before the end.
        case v1_0 = "1.0"
        /// At the start of the device.
        case v1_1 = "1.1"
        /// 4 KiB into the device.
        case v1_2 = "1.2"
    }

    static let magic: UInt32 = 0xa92b_4efc
    /// More members than any driver takes.
    static let memberLimit = 1920

    package let version: Version
    /// Where it lies on the member, in bytes.
    package let superblockOffset: UInt64
    package let arrayUUID: UUID16
    /// This member's own UUID; 0.90 has none.
    package let deviceUUID: UUID16?
    /// The array's name, "host:name" or "name"; nil in 0.90.
    package let name: [UInt8]?
    /// The number N of /dev/mdN, where the superblock gives one (0.90's "preferred minor").
    package let minor: UInt32?
    /// -4 multipath, -1 linear, 0, 1, 4, 5, 6, 10.
    package let level: Int32
    /// The arrangement of blocks for levels 5, 6, 10 and 0.
    package let layout: UInt32
    /// In bytes; 0 where the level has none.
    package let chunkByteCount: UInt64
    /// How many members make the array whole.
    package let memberCount: Int
    /// Counts changes of the array's state: the freshest member has most.
    package let events: UInt64
    /// Where the data begins on this member, and how much of it the array uses, in bytes.
    package let dataOffset: UInt64
    package let dataByteCount: UInt64
    /// Where the member has to end, whatever the device has: Linux takes none that is shorter. Nil where that is no number.
    let claimedEnd: UInt64?
    /// This member's place in the array; nil for a spare or a member that failed.
    package let role: Int?
    /// The array was stopped in good order.
    package let isClean: Bool
    /// A member that is still being filled, or an array that is being reshaped.
    package let isRecovering: Bool
    package let isReshaping: Bool
    /// Writes go to a journal first (RAID 4, 5, 6); the members may lag behind it.
    package let hasJournal: Bool
    /// Roles that this superblock believes to work.
    package let activeRoles: Set<Int>

    /// "0.90.0" as blkid shows it, or "1.2".
    let versionText: String

    /// Every valid superblock on the device, in the order of the probing: normally none or one.
    static func readAll(_ device: any BlockDevice) throws(StorageError) -> [MDSuperblock] {
        var found: [MDSuperblock] = []
        let size = device.byteCount
        func look(_ version: Version, _ offset: UInt64) throws(StorageError) {
            guard offset <= size, size - offset >= 4096 else { return }
            let bytes = try device.bytes(at: offset, count: 4096)
            if let block = MDSuperblock(bytes, version: version, at: offset, deviceByteCount: size) {
                found.append(block)
            }
        }
        try look(.v1_1, 0)
        try look(.v1_2, 4096)
        // 16 sectors before the end, down to a multiple of 8.
        if size / 512 >= 24 { try look(.v1_0, ((size / 512 - 16) & ~7) * 512) }
        if size >= 0x20000 { try look(.v0_90, (size & ~0xffff) - 0x10000) }
        return found
    }

    init?(_ bytes: [UInt8], version: Version, at offset: UInt64, deviceByteCount: UInt64) {
        guard bytes.count >= 4096 else { return nil }
        switch version {
        case .v0_90: self.init(old: bytes, at: offset)
        case .v1_0, .v1_1, .v1_2:
            self.init(current: bytes, version: version, at: offset, deviceByteCount: deviceByteCount)
        }
    }

    /// struct mdp_superblock_1, little-endian.
    private init?(
        current bytes: [UInt8], version: Version, at offset: UInt64, deviceByteCount: UInt64
    ) {
        guard bytes.little(0) == Self.magic, bytes.little(4, as: UInt32.self) == 1,
            bytes.little(144, as: UInt64.self) *? 512 == offset
        else { return nil }
        let features: UInt32 = bytes.little(8)
        let maximum = Int(bytes.little(220, as: UInt32.self))
        guard maximum <= Self.memberLimit, Self.checksum(bytes, memberSlots: maximum) == bytes.little(216)
        else {
            return nil
        }
        guard let start = bytes.little(128, as: UInt64.self) *? 512, start <= deviceByteCount else {
            return nil
        }
        let used = bytes.little(80, as: UInt64.self) *? 512
        let given = bytes.little(136, as: UInt64.self) *? 512
        let room = deviceByteCount - start
        self.version = version
        versionText = version.rawValue
        superblockOffset = offset
        arrayUUID = UUID16(textOrder: bytes.span8, at: 16)
        deviceUUID = UUID16(textOrder: bytes.span8, at: 168)
        name = bytes.label(32..<64)
        minor = nil
        level = bytes.little(72)
        layout = bytes.little(76)
        chunkByteCount = UInt64(bytes.little(88, as: UInt32.self)) * 512
        memberCount = Int(min(bytes.little(92, as: UInt32.self), UInt32(Self.memberLimit) + 1))
        events = bytes.little(200)
        dataOffset = start
        // Level 0 and linear use all of each member; the others the same amount of each.
        dataByteCount = min((used ?? 0) != 0 && level > 0 ? used ?? 0 : given ?? 0, room)
        claimedEnd = start +? max(used ?? .max, given ?? .max)
        let slot = Int(min(bytes.little(160, as: UInt32.self), .max))
        let roles = (0..<maximum).map { bytes.little(256 + $0 * 2, as: UInt16.self) }
        // A replacement that is being filled has the role of the member it is to replace.
        let isReplacement = features & 0x10 != 0
        role = slot < roles.count && roles[slot] < 0xff00 && !isReplacement ? Int(roles[slot]) : nil
        activeRoles = Set(roles.filter { $0 < 0xff00 }.map { Int($0) })
        isClean = bytes.little(208, as: UInt64.self) == .max
        isRecovering = features & 2 != 0 && bytes.little(152, as: UInt64.self) != .max
        isReshaping = features & 4 != 0
        hasJournal = features & 0x200 != 0
    }

    /// struct mdp_superblock_s: 1024 words in the byte order of the machine that made the array.
    private init?(old bytes: [UInt8], at offset: UInt64) {
        let isBig = bytes.big(0, as: UInt32.self) == Self.magic
        guard isBig || bytes.little(0, as: UInt32.self) == Self.magic else { return nil }
        func word(_ index: Int) -> UInt32 { isBig ? bytes.big(index * 4) : bytes.little(index * 4) }
        guard word(1) == 0, word(2) >= 90 else { return nil }
        var sum: UInt64 = 0
        for index in 0..<1024 where index != 38 { sum += UInt64(word(index)) }
        let folded = UInt32(truncatingIfNeeded: (sum & 0xffff_ffff) + (sum >> 32))
        guard folded == word(38) else { return nil }
        version = .v0_90
        versionText = "\(word(1)).\(word(2)).\(word(3))"
        superblockOffset = offset
        let id = [5, 13, 14, 15].flatMap { index in
            (0..<4).map { UInt8(truncatingIfNeeded: word(index) >> (24 - 8 * UInt32($0))) }
        }
        guard let uuid = UUID16(bytes: id) else { return nil }
        arrayUUID = uuid
        deviceUUID = nil
        name = nil
        minor = word(11)
        level = Int32(bitPattern: word(7))
        layout = word(64)
        chunkByteCount = UInt64(word(65))
        memberCount = Int(min(word(10), UInt32(Self.memberLimit) + 1))
        // Two words in the machine's order: the low one first on little-endian machines.
        events = isBig ? UInt64(word(39)) << 32 | UInt64(word(40)) : UInt64(word(40)) << 32 | UInt64(word(39))
        dataOffset = 0
        let used = UInt64(word(8)) * 1024
        dataByteCount = level > 0 && used != 0 ? min(used, offset) : offset
        claimedEnd = offset +? 4096
        // Disk descriptors of 32 words from word 128; this member's own at 992: number, major, minor, role, state.
        let state = word(996)
        let ownRole = Int(min(word(995), UInt32(Self.memberLimit)))
        role = state & 0b110 == 0b110 && state & 1 == 0 && ownRole < 27 ? ownRole : nil
        activeRoles = Set(
            (0..<27).compactMap { disk in
                let base = 128 + disk * 32
                let state = word(base + 4)
                return state & 0b110 == 0b110 && state & 1 == 0 ? Int(min(word(base + 3), 1920)) : nil
            })
        isClean = word(33) & 1 != 0
        isRecovering = false
        isReshaping = word(2) >= 91
        hasJournal = false
    }

    /// The sum of the superblock's words with the checksum taken as zero, folded to 32 bits.
    private static func checksum(_ bytes: [UInt8], memberSlots: Int) -> UInt32 {
        let length = 256 + memberSlots * 2
        var sum: UInt64 = 0
        for offset in stride(from: 0, to: length & ~3, by: 4) where offset != 216 {
            sum += UInt64(bytes.little(offset, as: UInt32.self))
        }
        if length & 2 != 0 { sum += UInt64(bytes.little(length & ~3, as: UInt16.self)) }
        return UInt32(truncatingIfNeeded: (sum & 0xffff_ffff) + (sum >> 32))
    }
}
