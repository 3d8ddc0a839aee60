internal import Storage

/// A raw disk with one partition that holds a small file system.
package struct SmallDisk {
    /// What keeps the disk.
    package let directory: TemporaryDirectory
    /// The disk.
    package let path: String

    /// Makes it with these files.
    package init(_ files: [String: [UInt8]], isWritable: Bool = true) throws {
        let volume = SmallDriver.volume(files, isWritable: isWritable)
        var bytes = [UInt8](repeating: 0, count: 1 << 20) + volume
        // Something that a BIOS would start.
        bytes[0] = 0xeb
        bytes[446 + 4] = 0x83
        bytes.storeLittle(UInt32(2048), at: 446 + 8)
        bytes.storeLittle(UInt32(volume.count / 512), at: 446 + 12)
        bytes[510] = 0x55
        bytes[511] = 0xaa
        directory = try TemporaryDirectory()
        path = try directory.write("disk.raw", bytes)
    }
}
