package import Storage

/// How much of its device, from the beginning, what lies there may use by its own word: a device that is shorter loses some of it.
package struct DeviceClaim: Equatable, Sendable {
    /// In bytes.
    package let byteCount: UInt64
    /// It says so; else it is all that the device has, which it may use.
    package let isTold: Bool

    private init(told byteCount: UInt64) {
        self.byteCount = byteCount
        isTold = true
    }

    private init(allOf device: any BlockDevice) {
        byteCount = device.byteCount
        isTold = false
    }

    /// Of what the volume holds, and of what it could be taken for besides where that says a length that the device has: a longer one
    /// is of another use that the device had. `volumes` are others of the guest, which may have the metadata of its group. Nil where nothing is known, or what is known cannot use more than has bytes in it.
    package static func of(
        _ volume: Volume, among volumes: [Volume]
    ) throws(StorageError) -> (kind: VolumeIdentity.Kind, claim: Self)? {
        var found: (kind: VolumeIdentity.Kind, claim: Self)?
        let others = volume.candidates.filter { $0.kind != volume.identity.kind }
        for (index, identity) in ([volume.identity] + others).enumerated() {
            guard let claim = try of(identity, volume, volumes) else { continue }
            if index > 0 { guard claim.isTold, claim.byteCount <= volume.device.byteCount else { continue } }
            if let known = found, known.claim.byteCount >= claim.byteCount { continue }
            found = (identity.kind, claim)
        }
        return found
    }

    /// Members of arrays of firmware, of ZFS pools, and DRBD: their last sectors say what they are, wherever they end.
    private static let seenAtTheirEnds: Set<String> = [
        "isw_raid_member", "lsi_mega_raid_member", "adaptec_raid_member", "ddf_raid_member", "zfs_member",
        "drbd",
    ]
    /// Made once and never written to again.
    private static let readOnly: Set<String> = ["squashfs", "cramfs", "erofs", "iso9660"]

    private static func of(
        _ identity: VolumeIdentity, _ volume: Volume, _ volumes: [Volume]
    ) throws(StorageError) -> Self? {
        let device = volume.device
        switch identity.kind {
        case .unknown: return nil
        case .btrfs: return try btrfs(device).map { Self(told: $0) } ?? Self(allOf: device)
        case .lvm2: return try physicalVolume(device, identity, volumes)
        case .mdRAID:
            return try MDSuperblock.readAll(device).compactMap(\.claimedEnd).max().map { Self(told: $0) }
        case .ntfs:
            // A copy of the boot sector lies behind what it counts.
            let sector = UInt64(try device.bytes(at: 11, count: 2).little(0, as: UInt16.self))
            return (identity.byteCount.flatMap { $0 +? sector }).map { Self(told: $0) } ?? Self(allOf: device)
        case _ where seenAtTheirEnds.contains(identity.kind.rawValue): return nil
        case _ where readOnly.contains(identity.kind.rawValue):
            return identity.byteCount.map { Self(told: $0) }
        // LUKS, BitLocker and caches map whatever their device has; of a file system whose size is not read nobody knows.
        default: return identity.deviceByteCount.map { Self(told: $0) } ?? Self(allOf: device)
        }
    }

    /// Where its last extent or area ends by its group's metadata: `pvresize` leaves the size in the label as it was, which is that of a
    /// volume without a group alone.
    private static func physicalVolume(
        _ device: any BlockDevice, _ identity: VolumeIdentity, _ others: [Volume]
    ) throws(StorageError) -> Self? {
        guard let label = try LVMLabel.read(device) else { return nil }
        var ends = label.metadataAreas.compactMap { $0.offset +? $0.byteCount }
        let volume = Volume(name: "disk", location: .wholeDisk(disk: 0), device: device, identity: identity)
        let members = try LVMScan([volume] + others).groups.compactMap { group in
            group.metadata.physicalVolumes.first { $0.id == label.uuid }.map { ($0, group.metadata) }
        }
        for (member, group) in members {
            guard let start = member.start *? 512, let extents = group.byteCount(extents: member.extentCount),
                let end = start +? extents
            else { return Self(allOf: device) }
            ends.append(end)
        }
        if members.isEmpty {
            // Else it is of a group whose metadata lies on volumes that are not here, or is damaged.
            guard try isWithoutGroup(label, device) else { return Self(allOf: device) }
            ends.append(label.deviceByteCount)
        }
        return ends.max().map { Self(told: $0) }
    }

    /// It has room for a group's metadata, and none there.
    private static func isWithoutGroup(_ label: LVMLabel, _ device: any BlockDevice) throws(StorageError)
        -> Bool
    {
        var headers: [LVMMetadataHeader] = []
        for area in label.metadataAreas {
            if let header = try LVMMetadataHeader.read(device, area: area) { headers.append(header) }
        }
        return !headers.isEmpty && headers.allSatisfy(\.slots.isEmpty)
    }

    /// struct btrfs_super_block at 64 KiB has the device's own struct btrfs_dev_item at 0xc9: an identifier, then its bytes.
    private static func btrfs(_ device: any BlockDevice) throws(StorageError) -> UInt64? {
        let place: UInt64 = 65536 + 0xc9 + 8
        guard device.byteCount >= place + 8 else { return nil }
        return try device.bytes(at: place, count: 8).little(0)
    }
}
