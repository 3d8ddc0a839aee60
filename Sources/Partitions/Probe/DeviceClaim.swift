package import Storage

/// How long what lies on a device says that the device is, where its identity does not: it may span several, and counts all of them.
package enum DeviceClaim {
    /// In bytes; nil where it says nothing.
    package static func byteCount(of volume: Volume) throws(StorageError) -> UInt64? {
        switch volume.identity.kind {
        case .btrfs: try btrfs(volume.device)
        case .mdRAID: try MDSuperblock.readAll(volume.device).compactMap(\.end).max()
        default: nil
        }
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
