internal import Storage

/// MD RAID members of every superblock version, and members of firmware RAID sets, which are only named.
enum RAIDProbe {
    static func matches(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        var found: [ProbeMatch] = []
        for block in try MDSuperblock.readAll(reader.device) {
            let identity = VolumeIdentity(
                kind: .mdRAID, uuid: block.arrayUUID.description, label: block.name,
                version: block.versionText)
            // Superblocks in front of the data are overwritten by any file system made over them.
            let isBehind = block.version == .v0_90 || block.version == .v1_0
            found.append(
                ProbeMatch(
                    identity, .softwareRAID, .verified, dataEnd: isBehind ? block.superblockOffset : nil))
        }
        found += try firmware(reader)
        return found
    }

    private static func firmware(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        guard reader.byteCount >= 0x10000 else { return [] }
        let end = reader.byteCount & ~511
        var found: [ProbeMatch] = []
        func add(_ kind: String, version: String? = nil, uuid: String? = nil) {
            found.append(
                ProbeMatch(
                    VolumeIdentity(kind: .init(rawValue: kind), uuid: uuid, version: version), .otherRAID))
        }
        guard let tail = try reader.bytes(end - 1024, 1024) else { return [] }
        let isw = Array("Intel Raid ISM Cfg Sig. ".utf8)
        if tail.span8.matches(isw) {
            let version = String(decoding: tail[24..<30], as: UTF8.self)
            add("isw_raid_member", version: version)
        }
        if tail.span8.matches(Array("$XIDE$".utf8), at: 512) { add("lsi_mega_raid_member") }
        if tail.span8.matches([0x37, 0xfc, 0x4d, 0x1e], at: 512),
            tail.span8.matches(Array("DPTM".utf8), at: 512 + 256)
        {
            add("adaptec_raid_member", version: String(tail[512 + 63]))
        }
        // DDF's anchor is in the last sector, or 128 KiB before the end (SNIA DDF 2.0, 4.2).
        for offset in [end - 512, end >= 0x20200 ? end - 0x20200 : 0] {
            guard let anchor = try reader.bytes(offset, 48) else { continue }
            let magic: [UInt8] = [0xde, 0x11, 0xde, 0x11]
            if anchor.span8.matches(magic) || anchor.span8.matches(magic.reversed()) {
                add("ddf_raid_member", version: anchor.text(32..<40))
                break
            }
        }
        return found
    }
}
