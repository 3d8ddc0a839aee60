internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing

/// What says how much of its device it uses: everything that is recognised, and no more than that.
struct DeviceClaimTests {
    private func claim(_ device: any BlockDevice) throws -> (kind: VolumeIdentity.Kind, claim: DeviceClaim)? {
        let volumes = try discover(device)
        return try DeviceClaim.of(try #require(volumes.volumes.first), among: [])
    }

    @Test(arguments: ClaimFixture.all) func everyKindSaysItOrTakesAll(_ fixture: ClaimFixture) throws {
        for said in [8 << 20, 12 << 20] {
            let device = MemoryDevice(fixture.head(said) + [UInt8](repeating: 0, count: 14 << 20))
            let found = try #require(try claim(device))
            #expect(found.kind.rawValue == fixture.kind)
            #expect(found.claim.isTold == fixture.isTold)
            #expect(found.claim.byteCount == UInt64(fixture.isTold ? said + fixture.more : 16 << 20))
        }
    }

    /// Files of Linux's own: those that drivers read.
    @Test(
        .enabled(if: Tool.has("mke2fs", "mkfs.xfs", "mkfs.vfat"), "mkfs is missing"),
        arguments: ["ext2", "ext4", "xfs", "vfat"])
    func driversSayIt(_ kind: String) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("disk", byteCount: 320 << 20)
        switch kind {
        case "xfs": try Tool.run("mkfs.xfs", ["-q", path])
        case "vfat": try Tool.run("mkfs.vfat", [path])
        case "ext4": try Tool.run("mke2fs", ["-q", "-F", "-O", "extent,has_journal", path])
        default: try Tool.run("mke2fs", ["-q", "-F", path])
        }
        try Tool.run("truncate", ["-s", "400M", path])
        let found = try #require(try claim(try fileDevice(path)))
        #expect(found.kind.rawValue == kind && found.claim.isTold)
        // FAT leaves out what is no whole track.
        let end: UInt64 = 320 << 20
        #expect(
            kind == "vfat"
                ? (end - 65536...end).contains(found.claim.byteCount) : found.claim.byteCount == end)
    }

    @Test func whatIsNotKnownSaysNothing() throws {
        #expect(try claim(MemoryDevice([UInt8](repeating: 7, count: 4 << 20))) == nil)
        #expect(try claim(MemoryDevice([UInt8](repeating: 0, count: 4 << 20))) == nil)
    }

    /// A second signature counts where the device has the length that it says: one of a longer device is of another use.
    @Test(arguments: [(6, 6), (12, 12), (20, 4)]) func aSecondSignature(_ said: Int, _ expected: Int) throws {
        var bytes = [UInt8](repeating: 0, count: 16 << 20)
        let swap = try #require(ClaimFixture.all.first { $0.name == "swap" })
        let reiser = try #require(ClaimFixture.all.first { $0.name == "reiserfs" })
        bytes.put(reiser.head(4 << 20), at: 0)
        bytes.put(Array(swap.head(said << 20).prefix(4096)), at: 0)
        let found = try #require(try claim(MemoryDevice(bytes)))
        #expect(found.claim.byteCount == UInt64(expected << 20))
    }

    /// blkid's own images: what has no bytes at its end says something, and samples of real programs say what these wrote.
    @Test(
        .enabled(if: SharedSamples.present, "\(SharedSamples.skipMessage)"),
        arguments: SampleSignatureTests.names)
    func samplesSaySomething(_ name: String) throws {
        let directory = try TemporaryDirectory()
        let device = try sample("util-linux-blkid/images-fs/\(name).img.xz", in: directory)
        let ends = ["adaptec-raid", "ddf-raid", "drbd-v09", "isw-raid", "lsi-raid", "zfs"]
        let found = try claim(device)
        #expect((found == nil) == ends.contains(name))
        guard let found, found.claim.isTold else { return }
        #expect(found.claim.byteCount > 0 && found.claim.byteCount <= UInt64(Int64.max))
    }

    /// Programs of the kinds themselves.
    @Test(
        .enabled(if: Tool.has("mkswap", "mkntfs", "mkfs.btrfs", "mksquashfs", "mkfs.xfs"), "mkfs is missing"))
    func theProgramsOfTheKinds() throws {
        let directory = try TemporaryDirectory()
        func length(_ name: String, _ program: String, _ arguments: [String]) throws -> UInt64? {
            let path = try directory.sparse(name, byteCount: 128 << 20)
            try Tool.run(program, arguments + [path])
            try Tool.run("truncate", ["-s", "+64M", path])
            return try claim(try fileDevice(path))?.claim.byteCount
        }
        #expect(try length("swap", "mkswap", []) == 128 << 20)
        #expect(try length("ntfs", "mkntfs", ["-q", "-F"]) == 128 << 20)
        #expect(try length("btrfs", "mkfs.btrfs", ["-q"]) == 128 << 20)
        if Tool.has("mkfs.minix") {
            for version in ["-2", "-3"] {
                #expect(try length("minix\(version)", "mkfs.minix", [version]) == 128 << 20)
            }
        }
        let tree = try directory.write("tree/file", [UInt8](repeating: 9, count: 30000))
        try Tool.run("mksquashfs", [tree, directory.path("squash"), "-quiet", "-no-progress"])
        let bytes = try fileBytes(directory.path("squash"))
        let said = try #require(try claim(MemoryDevice(bytes))?.claim.byteCount)
        #expect(said <= UInt64(bytes.count) && said + 4096 > UInt64(bytes.count))
    }
}
