internal import Storage

/// The first bytes of everything that is recognised, written by hand, saying a length; for whatever must not become shorter.
public struct ClaimFixture: Sendable, CustomStringConvertible {
    public let name: String
    /// blkid's word.
    public let kind: String
    /// It says how long it is.
    public let isTold: Bool
    /// What it needs behind what it says.
    public let more: Int
    /// Its bytes from the beginning of the device, where it says that many.
    public let head: @Sendable (Int) -> [UInt8]

    public var description: String { name }

    private init(
        _ name: String, kind: String? = nil, isTold: Bool = true, more: Int = 0,
        _ fill: @escaping @Sendable (inout [UInt8], Int) -> Void
    ) {
        self.name = name
        self.kind = kind ?? name
        self.isTold = isTold
        self.more = more
        head = { size in
            var bytes = [UInt8](repeating: 0, count: 2 << 20)
            fill(&bytes, size)
            return bytes
        }
    }

    /// A magic number and nothing that says a length.
    private init(untold name: String, _ magic: [UInt8], at offset: Int, kind: String? = nil) {
        self.init(name, kind: kind, isTold: false) { bytes, _ in bytes.put(magic, at: offset) }
    }

    public static let all = told + untold

    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    static let told: [ClaimFixture] = [
        ClaimFixture("ntfs", more: 512) { bytes, size in
            bytes.put(text("NTFS    "), at: 3)
            bytes.storeLittle(UInt16(512), at: 11)
            bytes[13] = 8
            bytes.storeLittle(UInt64(size / 512), at: 40)
        },
        ClaimFixture("exfat") { bytes, size in
            bytes.put(text("EXFAT   "), at: 3)
            bytes.storeLittle(UInt64(size / 512), at: 72)
            bytes[108] = 9
        },
        ClaimFixture("minix") { bytes, size in minix(&bytes, size, magic: 0x138f) },
        ClaimFixture("minix of version 2", kind: "minix") { bytes, size in minix(&bytes, size, magic: 0x2468)
        },
        ClaimFixture("minix of version 3", kind: "minix") { bytes, size in
            bytes.storeLittle(UInt32(100), at: 1024)
            bytes.storeLittle(UInt16(1), at: 1030)
            bytes.storeLittle(UInt16(1), at: 1032)
            bytes.storeLittle(UInt16(9), at: 1034)
            bytes.storeLittle(UInt32(size / 4096), at: 1044)
            bytes.storeLittle(UInt16(0x4d5a), at: 1048)
            bytes.storeLittle(UInt16(4096), at: 1052)
        },
        ClaimFixture("ReFS") { bytes, size in
            bytes.put(text("ReFS"), at: 3)
            bytes.storeLittle(UInt64(size / 512), at: 24)
            bytes.storeLittle(UInt32(512), at: 32)
        },
        ClaimFixture("swap") { bytes, size in swap(&bytes, size, page: 4096) },
        ClaimFixture("swap of 64 KiB", kind: "swap") { bytes, size in swap(&bytes, size, page: 65536) },
        ClaimFixture("jfs") { bytes, size in
            bytes.put(text("JFS1"), at: 32768)
            bytes.storeLittle(UInt64(size / 512 / 2), at: 32768 + 8)
            bytes.storeLittle(UInt32(4096), at: 32768 + 16)
            bytes.storeLittle(UInt32(512), at: 32768 + 24)
            // Room for fsck, then the log, up to the end.
            let log = 16
            bytes.storeLittle(UInt32(log), at: 32768 + 72)
            bytes.storeLittle(UInt32(size / 4096 - log), at: 32768 + 76)
        },
        ClaimFixture("reiserfs") { bytes, size in
            bytes.storeLittle(UInt32(size / 4096), at: 65536)
            bytes.storeLittle(UInt16(4096), at: 65536 + 44)
            bytes.put(text("ReIsEr2Fs"), at: 65588)
        },
        ClaimFixture("nilfs2") { bytes, size in
            bytes.storeLittle(UInt32(2), at: 1024)
            bytes.put([0x34, 0x34], at: 1030)
            bytes.storeLittle(UInt32(2), at: 1044)
            bytes.storeLittle(UInt64(size), at: 1056)
        },
        ClaimFixture("f2fs") { bytes, size in
            bytes.put([0x10, 0x20, 0xf5, 0xf2], at: 1024)
            bytes.storeLittle(UInt32(12), at: 1040)
            bytes.storeLittle(UInt64(size / 4096), at: 1060)
        },
        ClaimFixture("hfsplus") { bytes, size in
            bytes.put(text("H+"), at: 1024)
            bytes.put([0, 0, 16, 0], at: 1064)
            bytes.put([0, 0, UInt8((size / 4096) >> 8), UInt8(size / 4096 & 255)], at: 1068)
        },
        ClaimFixture("hfs") { bytes, size in
            bytes.put(text("BD"), at: 1024)
            let blocks = size / 4096 - 1
            bytes.put([UInt8(blocks >> 8), UInt8(blocks & 255)], at: 1042)
            bytes.put([0, 0, 16, 0], at: 1044)
            bytes.put([0, 6], at: 1052)
        },
        ClaimFixture("apfs") { bytes, size in
            bytes.put(text("NXSB"), at: 32)
            bytes.storeLittle(UInt32(4096), at: 36)
            bytes.storeLittle(UInt64(size / 4096), at: 40)
        },
        ClaimFixture("squashfs") { bytes, size in
            bytes.put(text("hsqs"), at: 0)
            bytes.storeLittle(UInt16(4), at: 28)
            bytes.storeLittle(UInt64(size), at: 40)
        },
        ClaimFixture("squashfs 3", kind: "squashfs") { bytes, size in
            bytes.put(text("hsqs"), at: 0)
            bytes.storeLittle(UInt16(3), at: 28)
            bytes.storeLittle(UInt64(size), at: 63)
        },
        ClaimFixture("cramfs") { bytes, size in
            bytes.put([0x45, 0x3d, 0xcd, 0x28], at: 0)
            bytes.storeLittle(UInt32(size), at: 4)
        },
        ClaimFixture("erofs") { bytes, size in
            bytes.put([0xe2, 0xe1, 0xf5, 0xe0], at: 1024)
            bytes[1036] = 12
            bytes.storeLittle(UInt32(size / 4096), at: 1060)
        },
        ClaimFixture("iso9660") { bytes, size in
            bytes.put([1] + text("CD001"), at: 32768)
            bytes.storeLittle(UInt32(size / 2048), at: 32768 + 80)
            bytes.storeLittle(UInt16(2048), at: 32768 + 128)
        },
        // Of several devices: what all of them have together says nothing of this one.
        ClaimFixture("btrfs") { bytes, size in
            bytes.storeLittle(UInt64(65536), at: 65536 + 48)
            bytes.put(text("_BHRfS_M"), at: 65536 + 64)
            bytes.storeLittle(UInt64(1 << 40), at: 65536 + 112)
            bytes.storeLittle(UInt16(1), at: 65536 + 196)
            bytes.storeLittle(UInt64(size), at: 65536 + 0xc9 + 8)
        },
        // The label keeps the size that the volume had before `pvresize`.
        ClaimFixture("LVM2_member") { bytes, size in
            var fixture = LVMFixture(LVMFixture.first)
            fixture.byteCount = 4 << 20
            let group = LVMFixture.group(
                physical: [LVMFixture.first], logical: "",
                extents: (size - LVMFixture.dataStart) / LVMFixture.extent)
            bytes.put(Array(fixture.bytes(group).prefix(bytes.count)), at: 0)
        },
        ClaimFixture("LVM2_member of no group", kind: "LVM2_member") { bytes, size in
            var fixture = LVMFixture(LVMFixture.first)
            fixture.byteCount = size
            bytes.put(Array(fixture.bytes("x").prefix(bytes.count)), at: 0)
            fixture.clear(fixture.areas[0], of: &bytes)
        },
        // What the array uses, and what the member has for it.
        ClaimFixture("linux_raid_member") { bytes, size in array(&bytes, used: size, given: 4 << 20) },
        ClaimFixture("linux_raid_member with room", kind: "linux_raid_member") { bytes, size in
            array(&bytes, used: 4 << 20, given: size)
        },
    ]

    static let untold: [ClaimFixture] = [
        ClaimFixture(untold: "LUKS1", text("LUKS") + [0xba, 0xbe, 0, 1], at: 0, kind: "crypto_LUKS"),
        ClaimFixture(untold: "LUKS2", text("LUKS") + [0xba, 0xbe, 0, 2], at: 0, kind: "crypto_LUKS"),
        ClaimFixture(untold: "BitLocker", [0xeb, 0x58, 0x90] + text("-FVE-FS-"), at: 0),
        ClaimFixture("bcache", isTold: false) { bytes, _ in
            bytes.storeLittle(UInt64(8), at: 4104)
            bytes.put(
                [
                    0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca, 0x82, 0x65, 0xf5, 0x7f, 0x48, 0xba, 0x6d,
                    0x81,
                ],
                at: 4120)
        },
        ClaimFixture(untold: "vdo", text("dmvdo001"), at: 0),
        ClaimFixture(untold: "swap of version 0", text("SWAP-SPACE"), at: 4086, kind: "swap"),
        ClaimFixture(
            untold: "LVM1_member",
            text("HM") + [1, 0] + [UInt8](repeating: 0, count: 40) + text("0123456789abcdefghijklmnopqrstuv"),
            at: 0),
        // Its group's metadata lies on the other physical volumes.
        ClaimFixture("LVM2_member without metadata", kind: "LVM2_member", isTold: false) { bytes, _ in
            var fixture = LVMFixture(LVMFixture.first)
            fixture.byteCount = 4 << 20
            fixture.areas = []
            bytes.put(Array(fixture.bytes("x").prefix(bytes.count)), at: 0)
        },
        ClaimFixture(
            untold: "bcachefs",
            [0xc6, 0x85, 0x73, 0xf6, 0x66, 0xce, 0x90, 0xa9, 0xd9, 0x6a, 0x60, 0xcf, 0x80, 0x3d, 0xf7, 0xef],
            at: 4120),
        ClaimFixture(untold: "gfs2", [0x01, 0x16, 0x19, 0x70], at: 65536),
        ClaimFixture(untold: "ocfs2", text("OCFSV2"), at: 8192),
        ClaimFixture(untold: "ufs", [0x54, 0x19, 0x01, 0x00], at: 9564),
        ClaimFixture(untold: "reiser4", text("ReIsEr4"), at: 65536),
        ClaimFixture(untold: "VMFS_volume_member", [0x0d, 0xd0, 0x01, 0xc0], at: 0x10_0000),
        ClaimFixture(untold: "stratis", text("!Stra0tis"), at: 516),
        ClaimFixture("udf", isTold: false) { bytes, _ in
            for (index, name) in ["BEA01", "NSR02", "TEA01"].enumerated() {
                bytes.put([0] + text(name), at: 32768 + index * 2048)
            }
        },
    ]

    private static func swap(_ bytes: inout [UInt8], _ size: Int, page: Int) {
        bytes.storeLittle(UInt32(1), at: 1024)
        bytes.storeLittle(UInt32(size / page - 1), at: 1028)
        bytes.put(text("SWAPSPACE2"), at: page - 10)
    }

    private static func minix(_ bytes: inout [UInt8], _ size: Int, magic: UInt16) {
        bytes.storeLittle(UInt16(100), at: 1024)
        if magic == 0x138f { bytes.storeLittle(UInt16(size / 1024), at: 1026) }
        bytes.storeLittle(UInt16(1), at: 1028)
        bytes.storeLittle(UInt16(2), at: 1030)
        bytes.storeLittle(UInt16(9), at: 1032)
        bytes.storeLittle(magic, at: 1040)
        if magic != 0x138f { bytes.storeLittle(UInt32(size / 1024), at: 1044) }
    }

    /// Metadata 1.2 of a mirror, its data from 1 MiB; the ends of what is used and given, on the device.
    private static func array(_ bytes: inout [UInt8], used: Int, given: Int) {
        var block = [UInt8](repeating: 0, count: 264)
        block.storeLittle(UInt32(0xa92b_4efc), at: 0)
        block.storeLittle(UInt32(1), at: 4)
        block[16] = 7
        block.storeLittle(Int32(1), at: 72)
        block.storeLittle(UInt64((used - 1 << 20) / 512), at: 80)
        block.storeLittle(UInt32(2), at: 92)
        block.storeLittle(UInt64(2048), at: 128)
        block.storeLittle(UInt64((given - 1 << 20) / 512), at: 136)
        block.storeLittle(UInt64(8), at: 144)
        block.storeLittle(UInt32(4), at: 220)
        block.storeLittle(UInt16(1), at: 258)
        let sum = stride(from: 0, to: block.count, by: 4).reduce(UInt64(0)) {
            $0 + UInt64(block.little($1, as: UInt32.self))
        }
        block.storeLittle(UInt32(truncatingIfNeeded: (sum & 0xffff_ffff) + (sum >> 32)), at: 216)
        bytes.put(block, at: 4096)
    }
}
