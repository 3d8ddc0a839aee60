internal import Storage

/// Rules of fields that no reader needs and the kernel looks at when it reads an inode (xfs_dinode_verify, Linux 6.18): it takes
/// none in which one is broken, so that the inode is not changed here either.
extension Inode {
    /// XFS_MAX_BMBT_EXTLEN.
    private static let extentLengthLimit: UInt32 = (1 << 21) - 1

    /// The fields that the kernel refuses.
    func refusedFields(_ geometry: Geometry) -> [String] {
        var fields: [String] = []
        if !hasSoundExtentSize(geometry) { fields.append("di_extsize") }
        guard version == 3 else { return fields }
        let isShared = flags2.contains(.sharesBlocks)
        let isLarge = flags2.contains(.largeExtentCounts)
        if isShared && (type != .regular || !geometry.readOnly.contains(.sharedBlocks))
            || isShared && flags.contains(.realTime)
            || flags2.contains(.bigTimes) && !geometry.incompatible.contains(.bigTimes)
            || isLarge && !geometry.incompatible.contains(.largeExtentCounts)
        {
            fields.append("di_flags2")
        }
        // Where the other form of the counts has its second field.
        if isLarge
            ? bytes.big(Offset.attributeExtentCount, as: UInt16.self) != 0
            : bytes.big(Offset.largeExtentCount, as: UInt64.self) != 0
        {
            fields.append("di_pad")
        }
        if !hasSoundSharedExtentSize(geometry) { fields.append("di_cowextsize") }
        return fields
    }

    /// How much a file grows by at a time (xfs_inode_validate_extsize): a hint of files, or of directories for what is made in
    /// them.
    private func hasSoundExtentSize(_ geometry: Geometry) -> Bool {
        let size: UInt32 = bytes.big(Offset.extentSize)
        let hint = flags.intersection([.extentSize, .inheritExtentSize])
        guard !hint.isEmpty else { return size == 0 }
        let allowed: Flags = type == .regular ? .extentSize : type == .directory ? .inheritExtentSize : []
        // That of real-time files is counted in units which are not looked at.
        return hint.isSubset(of: allowed) && size > 0 && size <= Self.extentLengthLimit
            && (flags.contains(.realTime) || size <= geometry.groupBlockCount / 2)
    }

    /// How much a copy on write puts aside (xfs_inode_validate_cowextsize).
    private func hasSoundSharedExtentSize(_ geometry: Geometry) -> Bool {
        let size: UInt32 = bytes.big(Offset.sharedExtentSize)
        guard flags2.contains(.sharedExtentSize) else { return size == 0 }
        return geometry.readOnly.contains(.sharedBlocks) && (type == .regular || type == .directory)
            && size > 0 && size <= Self.extentLengthLimit && size <= geometry.groupBlockCount / 2
    }
}
