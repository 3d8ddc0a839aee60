package import Storage

/// How long what lies on a device says that the device is, where its identity does not: it may span several, and counts all of them.
package enum DeviceClaim {
    /// In bytes; nil where it says nothing.
    package static func byteCount(of volume: Volume) throws(StorageError) -> UInt64? {
        switch volume.identity.kind {
        case .btrfs: try btrfs(volume.device)
        case .lvm2: try physicalVolume(volume)
        case .mdRAID: try MDSuperblock.readAll(volume.device).compactMap(\.end).max()
        default: nil
        }
    }

    /// Where its last extent ends by its group's metadata: `pvresize` leaves the size in the label as it was.
    private static func physicalVolume(_ volume: Volume) throws(StorageError) -> UInt64? {
        guard let label = try LVMLabel.read(volume.device) else { return nil }
        return try LVMScan([volume]).groups.compactMap { group in
            group.metadata.physicalVolumes.first { $0.id == label.uuid }.flatMap { member in
                guard let start = member.start *? 512 else { return nil }
                return group.metadata.byteCount(extents: member.extentCount).flatMap { start +? $0 }
            }
        }.max()
    }

    /// struct btrfs_super_block at 64 KiB has the device's own struct btrfs_dev_item at 0xc9: an identifier, then its bytes.
    private static func btrfs(_ device: any BlockDevice) throws(StorageError) -> UInt64? {
        let place: UInt64 = 65536 + 0xc9 + 8
        guard device.byteCount >= place + 8 else { return nil }
        return try device.bytes(at: place, count: 8).little(0)
    }
}

extension MDSuperblock {
    /// Where the part of the member ends that the array uses.
    fileprivate var end: UInt64? { dataOffset +? dataByteCount }
}
