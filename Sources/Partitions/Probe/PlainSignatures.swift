internal import Storage

/// File systems that only need to be named: a magic number at a place, and where UUID and label are.
enum PlainSignatures {
    private struct Signature {
        var kind: String
        var magic: [UInt8]
        var offset: UInt64
        /// The superblock's place; UUID and label count from it.
        var block: UInt64 = 0
        var uuid: Int?
        var label: Range<Int>?
        var isWide = false
        var strength = ProbeMatch.Strength.firm

        init(
            _ kind: String, _ magic: [UInt8], at offset: UInt64, block: UInt64 = 0, uuid: Int? = nil,
            label: Range<Int>? = nil, isWide: Bool = false, strength: ProbeMatch.Strength = .firm
        ) {
            self.kind = kind
            self.magic = magic
            self.offset = offset
            self.block = block
            self.uuid = uuid
            self.label = label
            self.isWide = isWide
            self.strength = strength
        }

        init(
            _ kind: String, _ magic: String, at offset: UInt64, block: UInt64 = 0, uuid: Int? = nil,
            label: Range<Int>? = nil
        ) {
            self.init(kind, Array(magic.utf8), at: offset, block: block, uuid: uuid, label: label)
        }
    }

    private static let bcachefs: [UInt8] = [
        0xc6, 0x85, 0x73, 0xf6, 0x66, 0xce, 0x90, 0xa9, 0xd9, 0x6a, 0x60, 0xcf, 0x80, 0x3d, 0xf7, 0xef,
    ]

    private static let table: [Signature] = [
        Signature("squashfs", "hsqs", at: 0), Signature("squashfs", "sqsh", at: 0),
        Signature("cramfs", [0x45, 0x3d, 0xcd, 0x28], at: 0),
        Signature("erofs", [0xe2, 0xe1, 0xf5, 0xe0], at: 1024, block: 1024, uuid: 48, label: 64..<80),
        Signature(
            "f2fs", [0x10, 0x20, 0xf5, 0xf2], at: 1024, block: 1024, uuid: 108, label: 124..<1148,
            isWide: true),
        Signature(
            "nilfs2", [0x34, 0x34], at: 1030, block: 1024, uuid: 152, label: 168..<248, strength: .weak),
        Signature("exfat", "EXFAT   ", at: 3), Signature("ReFS", "ReFS\0", at: 3),
        Signature("jfs", "JFS1", at: 32768, block: 32768, uuid: 136, label: 152..<168),
        Signature("reiserfs", "ReIsErFs", at: 65588, block: 65536),
        Signature("reiserfs", "ReIsEr2Fs", at: 65588, block: 65536, uuid: 84, label: 100..<116),
        Signature("reiserfs", "ReIsEr3Fs", at: 65588, block: 65536, uuid: 84, label: 100..<116),
        Signature("reiser4", "ReIsEr4", at: 65536, block: 65536, uuid: 20, label: 36..<52),
        Signature("bcachefs", bcachefs, at: 4120, block: 4096, uuid: 56, label: 72..<104),
        Signature("apfs", "NXSB", at: 32, uuid: 72),
        Signature("hfsplus", "H+", at: 1024), Signature("hfsplus", "HX", at: 1024),
        Signature("hfs", "BD", at: 1024),
        Signature("gfs2", [0x01, 0x16, 0x19, 0x70], at: 65536, block: 65536, uuid: 256),
        Signature("ocfs2", "OCFSV2", at: 8192), Signature("ocfs2", "OCFSV2", at: 4096),
        Signature("ufs", [0x54, 0x19, 0x01, 0x00], at: 9564),
        Signature("ufs", [0x19, 0x01, 0x54, 0x19], at: 66908),
        Signature("VMFS_volume_member", [0x0d, 0xd0, 0x01, 0xc0], at: 0x10_0000),
        Signature("stratis", "!Stra0tis", at: 516),
    ]

    static func matches(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        var found: [ProbeMatch] = []
        for signature in table where try reader.has(signature.magic, at: signature.offset) {
            guard !found.contains(where: { $0.identity.kind.rawValue == signature.kind }) else { continue }
            var identity = VolumeIdentity(kind: .init(rawValue: signature.kind))
            if let uuid = signature.uuid {
                identity.uuid = try reader.bytes(signature.block + UInt64(uuid), 16)?.uuidText(0)
            }
            if let label = signature.label,
                let bytes = try reader.bytes(signature.block + UInt64(label.lowerBound), label.count)
            {
                identity.label =
                    signature.isWide ? bytes.utf16Label(0..<label.count) : bytes.label(0..<label.count)
            }
            guard try complete(&identity, reader) else { continue }
            found.append(ProbeMatch(identity, .fileSystem, signature.strength))
        }
        if let minix = try PlainSizes.minix(reader) { found.append(ProbeMatch(minix, .fileSystem)) }
        return found
    }

    /// What some kinds need besides; false when it contradicts.
    private static func complete(
        _ identity: inout VolumeIdentity, _ reader: ProbeReader
    ) throws(StorageError) -> Bool {
        switch identity.kind.rawValue {
        case "squashfs":
            guard let block = try reader.bytes(0, 96) else { return false }
            let isLittle = block[0] == UInt8(ascii: "h")
            let major: UInt16 = isLittle ? block.little(28) : block.big(28)
            let minor: UInt16 = isLittle ? block.little(30) : block.big(30)
            guard (1...4).contains(major) else { return false }
            identity.version = "\(major).\(minor)"
            if isLittle, major == 4 {
                identity.byteCount = block.little(40)
                identity.blockSize = block.little(12)
            } else if major == 3 {
                identity.byteCount = isLittle ? block.little(63) : block.big(63)
            } else if major < 3 {
                identity.byteCount = UInt64(
                    isLittle ? block.little(8, as: UInt32.self) : block.big(8, as: UInt32.self))
            }
        case "f2fs":
            guard let block = try reader.bytes(1024, 48) else { return false }
            let log: UInt32 = block.little(16)
            guard (9...16).contains(log) else { return false }
            identity.version = "\(block.little(4, as: UInt16.self)).\(block.little(6, as: UInt16.self))"
            identity.blockSize = 1 << log
            identity.byteCount = block.little(36, as: UInt64.self) *? (1 << UInt64(log))
        case "exfat":
            guard let block = try reader.bytes(0, 512), (9...12).contains(block[108]) else { return false }
            let digits = MBRReader.hex8(block.little(100)).uppercased()
            identity.uuid = digits.prefix(4) + "-" + digits.suffix(4)
            identity.byteCount = block.little(72, as: UInt64.self) *? (1 << UInt64(block[108]))
        case "hfs", "hfsplus":
            // Two letters are little: the block size must be a power of two as well.
            guard let block = try reader.bytes(1024, 64) else { return false }
            let isOld = identity.kind.rawValue == "hfs"
            let size: UInt32 = isOld ? block.big(20) : block.big(40)
            guard size >= 512 && size % 512 == 0 && size <= 1 << 24 else { return false }
            // HFS has its blocks behind a number of sectors, and two sectors behind them.
            identity.byteCount =
                isOld
                ? UInt64(block.big(18, as: UInt16.self)) * UInt64(size)
                    + (UInt64(block.big(28, as: UInt16.self)) + 2) * 512
                : UInt64(block.big(44, as: UInt32.self)) * UInt64(size)
        case "nilfs2":
            guard let block = try reader.bytes(1024, 40) else { return false }
            identity.byteCount = block.little(32)
            return block.little(0, as: UInt32.self) == 2 && block.little(20, as: UInt32.self) <= 6
        default: return try PlainSizes.complete(&identity, reader)
        }
        return true
    }
}
