import Ext4
import Storage
import TestSupport
import Testing

/// Bytes whose meaning nobody knows yet, and all that a change does not mean to change, stay as they are.
@Suite struct UntouchedBytesTests {
    /// Descriptors of 128 bytes, and no checksum that bytes put in by hand would make wrong.
    private static let plain = Profile(
        name: "64bit, descriptors of 128 bytes",
        options: [
            "-t", "ext4", "-O",
            "none,has_journal,ext_attr,dir_index,filetype,sparse_super,large_file,extent,64bit,flex_bg,extra_isize",
            "-I", "256", "-E", "desc_size=128",
        ])

    /// What of the superblock a change may change: free counts, when it was written, its checksum.
    private static let changing: [Range<Int>] = [
        0x0c..<0x14, 0x30..<0x34, 0x158..<0x15c, 0x274..<0x275, 0x3fc..<0x400,
    ]

    private static func superblock(_ path: String) throws -> [UInt8] {
        var bytes = try FileDevice(path).bytes(at: 1024, count: 1024)
        for range in changing { bytes.withMutableBytes { $0.zero(range) } }
        return bytes
    }

    /// Everything that an operation may touch, touched.
    private static func change(_ volume: Ext4FileSystem) throws {
        let transaction = try volume.begin()
        let root = volume.rootDirectory
        let file = try volume.file("/d/file")
        try transaction.replaceContents(of: file, with: ReplaceContentsTests.contents(20_000))
        try transaction.setAttributes(of: file, .init(permissions: 0o600))
        try transaction.write([1, 2, 3], to: file, at: 30_000)
        try transaction.link(file, as: Array("second".utf8), in: root)
        let made = try transaction.createDirectory(
            Array("made".utf8), in: root, attributes: .init(permissions: 0o755))
        try transaction.rename(Array("d".utf8), in: root, to: Array("moved".utf8), in: made)
        try transaction.remove(Array("other".utf8), in: root)
        try transaction.prepare().commit()
    }

    private static let files = ["d/file": ReplaceContentsTests.contents(5000), "other": [1, 2, 3]]

    /// No feature is switched on or off, and no field is filled that was empty.
    @Test(arguments: Profile.all + [.inline, .unjournaled])
    func theSuperblockStays(_ profile: Profile) throws {
        let image = try Image(profile, blockSize: 1024, files: Self.files)
        let before = try Self.superblock(image.path)
        try Self.change(Ext4FileSystem.open(FileDevice(image.path, access: .write)))
        #expect(try image.defects() == "")
        let after = try Self.superblock(image.path)
        #expect((0..<1024).filter { before[$0] != after[$0] } == [])
    }

    @Test func unknownBytesStay() throws {
        let image = try Image(Self.plain, blockSize: 1024, files: Self.files)
        let device = try FileDevice(image.path, access: .write)
        let raw = try RawExt4(device)
        let stat = try image.debugfs("stat /d/file").split(whereSeparator: { " \n".contains($0) })
        let number = try #require(UInt32(stat[1]))
        let inode = Int(try raw.inodeOffset(number))
        let groups = Int((raw.blockCount - 1).dividedRoundingUp(by: 8192))
        let pattern = (0..<1024).map { UInt8(truncatingIfNeeded: $0 * 7 + 1) }
        // Reserved words of the superblock, the descriptors behind 64 bytes, in the inode i_faddr, two reserved bytes,
        // the project and what lies behind an area without attributes.
        var places = [1024 + 0x28c..<1024 + 0x3fc]
        places += (0..<groups).map { 2048 + $0 * 128 + 64..<2048 + ($0 + 1) * 128 }
        places += [0x70..<0x74, 0x7e..<0x80, 0x9c..<0xa0, 0xf0..<0x100].map {
            inode + $0.lowerBound..<inode + $0.upperBound
        }
        for place in places {
            try device.write(Array(pattern[..<place.count]).span8, at: UInt64(place.lowerBound))
        }
        // A compatible feature and flags of the inode that are not known here.
        try device.write([0x80 as UInt8].span8, at: 1024 + 0x5f)
        var flags: UInt32 = try device.bytes(at: UInt64(inode), count: 128).little(0x20)
        flags |= 0x8000_0000 | 0x0200_0000 | 0xc8
        var word: [UInt8] = [0, 0, 0, 0]
        word.storeLittle(flags, at: 0)
        try device.write(word.span8, at: UInt64(inode) + 0x20)

        try Self.change(Ext4FileSystem.open(device))
        for place in places {
            #expect(
                try device.bytes(at: UInt64(place.lowerBound), count: place.count)
                    == Array(pattern[..<place.count]),
                "\(place)")
        }
        #expect(try device.bytes(at: 1024 + 0x5f, count: 1) == [0x80])
        #expect(try device.bytes(at: UInt64(inode), count: 128).little(0x20, as: UInt32.self) == flags)
    }
}
