package import Storage

/// The unit that a disk's GPT counts in.
package enum GPTSectorSize {
    /// In bytes; nil where there is no GPT. An image file of a disk with 4096-byte sectors does not say so, and its table
    /// does.
    package static func read(_ disk: any BlockDevice) throws(StorageError) -> UInt32? {
        guard disk.byteCount >= 512 else { return nil }
        let mbr = MBRSector(try disk.bytes(at: 0, count: 512))
        guard mbr?.protectiveEntry != nil else { return nil }
        return try DiskTable.locateGPT(disk, mbr: mbr)?.geometry.sectorSize
    }
}
