import Storage
import TestSupport
import Testing

@testable import FAT

/// What contradicts the format is found by the check, refused for writing by its word, and a typed error for who reads it.
@Suite(.enabled(if: Profile.areThere, "mkfs.vfat, fsck.vfat or mtools are missing"))
struct DamageTests {
    static let profiles = PowerCutTests.profiles
    private static let files: [String: [UInt8]] = [
        "EFI/debian/grub.cfg": TreeModel.contents(3000), "EFI/debian/shimx64.efi": TreeModel.contents(5000),
        "A long name in the root.conf": TreeModel.contents(10), "loader/loader.conf": TreeModel.contents(40),
    ]

    private func volume(_ profile: Profile) throws -> DamagedVolume {
        let volume = try DamagedVolume(try profile.make(Self.files, label: "LABEL"))
        #expect(try volume.findings() == [] && volume.refusal() == nil)
        return volume
    }

    /// One finding, a refusal of its word, and an outside judge that sees it, too.
    private func expect(
        _ volume: DamagedVolume, _ code: String, also: Set<String> = [], blocks: Bool = true,
        judged: Bool = true
    ) throws {
        let found = try volume.codes()
        #expect(found.contains(code) && found.subtracting([code]).isSubset(of: also), "\(found)")
        let refusal = try volume.refusal()
        #expect((refusal != nil) == blocks, "\(code)")
        if let refusal { #expect(refusal.kind == .refused && found.contains(refusal.code), "\(refusal)") }
        if judged { #expect(try Judge.defects(volume.bytes) != "", "\(code)") }
    }

    private func read(_ path: String, _ volume: DamagedVolume) throws -> String {
        do {
            let tree = try FATFileSystem.open(MemoryDevice(volume.bytes))
            let file = try #require(try Editor.find(path, in: tree))
            _ = try tree.contents(of: file)
            return "read"
        } catch let error as StorageError {
            return error.kind == .corrupt ? error.code : "\(error)"
        }
    }

    @Test(arguments: profiles) func chains(_ profile: Profile) throws {
        let sound = try volume(profile)
        let grub = "/EFI/debian/grub.cfg"
        let first = try sound.firstCluster(grub)
        var loop = sound
        loop.setTable(first + 1, first)
        try expect(loop, "chain-loop", also: ["lost-clusters", "wrong-free-count"])
        #expect(try read(grub, loop) == "chain-loop")
        var free = sound
        free.setTable(first, 0)
        try expect(free, "free-cluster-in-chain", also: ["lost-clusters", "wrong-free-count"])
        #expect(try read(grub, free) == "free-cluster-in-chain")
        var bad = sound
        bad.setTable(first, sound.geometry.endMark - 8)
        try expect(bad, "bad-cluster-in-chain", also: ["lost-clusters"])
        #expect(try read(grub, bad) == "bad-cluster-in-chain")
        var out = sound
        out.setTable(first, sound.geometry.clusterCount + 2)
        try expect(out, "cluster-out-of-range", also: ["lost-clusters"])
        #expect(try read(grub, out) == "cluster-out-of-range")
        var short = sound
        short.setTable(first, sound.geometry.endMark)
        try expect(short, "chain-too-short", also: ["lost-clusters"])
        #expect(try read(grub, short) == "chain-too-short")
        var long = sound
        try long.change(grub) { $0.size = 10 }
        try expect(long, "chain-too-long", blocks: false)
        #expect(try read(grub, long) == "read")
        var cross = sound
        cross.setTable(try sound.firstCluster("/EFI/debian/shimx64.efi"), first)
        try expect(cross, "cross-linked", also: ["lost-clusters", "chain-too-long", "chain-too-short"])
        var none = sound
        try none.change(grub) { $0.setFirstCluster(0, sound.geometry.width) }
        try expect(none, "chain-too-short", also: ["lost-clusters"])
        var huge = sound
        try huge.change(grub) { $0.size = .max }
        let tree = try FATFileSystem.open(MemoryDevice(huge.bytes))
        let file = try #require(try Editor.find(grub, in: tree))
        let error = #expect(throws: StorageError.self) { try tree.nextExtent(of: file, at: 0) }
        #expect(error?.code == "chain-too-short" && error?.kind == .corrupt)
    }

    @Test(arguments: profiles) func lostClusters(_ profile: Profile) throws {
        var volume = try volume(profile)
        volume.setTable(200, volume.geometry.endMark)
        try expect(volume, "lost-clusters", also: ["wrong-free-count"], blocks: false)
        let finding = try #require(try volume.findings().first { $0.code == "lost-clusters" })
        #expect(finding.severity == .leak && finding.message.contains("200"))
        // They stay what they are.
        let device = MemoryDevice(volume.bytes)
        try FATFileSystem.change(device) { try $0.create("/more", TreeModel.contents(100_000)) }
        let after = try DamagedVolume(device.contents)
        #expect(try after.codes() == ["lost-clusters"])
    }

    @Test(arguments: profiles) func flagsAndCopies(_ profile: Profile) throws {
        let sound = try volume(profile)
        var differ = sound
        differ.setTable(300, 301, tables: [1])
        try expect(differ, "tables-differ")
        var dirty = sound
        let state = sound.geometry.width == .fat32 ? 0x41 : 0x25
        dirty.bytes[state] |= 1
        try expect(dirty, "dirty")
        var error = sound
        error.bytes[state] |= 2
        try expect(error, "hard-error", blocks: false, judged: false)
        if sound.geometry.width != .fat12 {
            let clean: UInt32 = sound.geometry.width == .fat16 ? 0x8000 : 0x0800_0000
            var unclean = sound
            unclean.setTable(1, sound.geometry.endMark & ~clean)
            try expect(unclean, "dirty", judged: false)
        }
        var media = sound
        media.setTable(0, sound.geometry.endMark & ~0xff | 0x12)
        try expect(media, "bad-first-entries", blocks: false, judged: false)
        guard let information = sound.geometry.informationOffset, let backup = sound.geometry.backupOffset
        else { return }
        var count = sound
        count.bytes.storeLittle(UInt32(7), at: Int(information) + 488)
        try expect(count, "wrong-free-count", blocks: false)
        var signature = sound
        signature.bytes[Int(information)] = 0
        try expect(signature, "bad-information-sector", blocks: false)
        var copy = sound
        copy.bytes[Int(backup) + 71] = 0x51
        try expect(copy, "backup-differs", blocks: false)
        // A wrong count is put right by the next change.
        let device = MemoryDevice(count.bytes)
        try FATFileSystem.change(device) { try $0.create("/more", [1]) }
        #expect(try Judge.defects(device.contents) == "")
    }

    @Test(arguments: profiles) func directories(_ profile: Profile) throws {
        let sound = try volume(profile)
        let width = sound.geometry.width
        let efi = try sound.firstCluster("/EFI")
        // A directory in itself: reading comes back to the same key, and ends.
        var own = sound
        try own.change("/EFI/debian") { $0.setFirstCluster(efi, width) }
        try expect(own, "cross-linked", also: ["lost-clusters", "chain-loop"])
        let tree = try FATFileSystem.open(MemoryDevice(own.bytes))
        let inner = try #require(try Editor.find("/EFI/debian", in: tree))
        #expect(try tree.lookUp(Array("debian".utf8), in: inner) == inner)
        var dots = sound
        let place = Int(sound.geometry.byteOffset(of: ClusterNumber(efi)))
        dots.bytes[place + 32 + 26] = 0x33
        try expect(dots, "bad-dot-entries")
        var gone = sound
        gone.bytes[place + 32] = 0x41
        try expect(
            gone, "bad-dot-entries",
            also: ["chain-too-short", "bad-name", "chain-too-long", "cluster-out-of-range", "cross-linked"])
        let directory = try FATFileSystem.open(MemoryDevice(gone.bytes))
        let debian = try #require(try Editor.find("/EFI/debian", in: directory))
        let error = #expect(throws: StorageError.self) { try directory.lookUp(Array("..".utf8), in: debian) }
        #expect(error?.code == "bad-dot-entries")
        var outside = sound
        try outside.change("/EFI") { $0.setFirstCluster(1, width) }
        try expect(outside, "cluster-out-of-range", also: ["lost-clusters"])
        // A chain of directory clusters in a circle.
        var circle = sound
        circle.setTable(efi, efi)
        try expect(circle, "chain-loop", also: ["lost-clusters"])
        #expect(try read("/EFI/debian", circle) == "chain-loop")
    }

    @Test(arguments: profiles) func names(_ profile: Profile) throws {
        let sound = try volume(profile)
        for byte: UInt8 in [0, UInt8(ascii: "/")] {
            var slash = sound
            try slash.change("/loader/loader.conf") { $0.bytes[2] = byte }
            // The long name still says what it is called; without it the short one is what there is.
            let place = Int(try sound.slotOffset("/loader/loader.conf"))
            slash.bytes[place - 32] = DirectorySlot.deletedMark
            try expect(slash, "bad-name", also: ["orphaned-long-name"])
            let tree = try FATFileSystem.open(MemoryDevice(slash.bytes))
            let loader = try #require(try Editor.find("/loader", in: tree))
            let error = #expect(throws: StorageError.self) { try tree.entries(of: loader) }
            #expect(error?.kind == .corrupt && error?.code == "bad-name")
        }
        var slash = sound
        let place = Int(try sound.slotOffset("/loader/loader.conf"))
        slash.bytes.storeLittle(UInt16(UInt8(ascii: "/")), at: place - 32 + 3)
        try expect(slash, "bad-name", judged: false)
        var orphan = sound
        orphan.bytes[place - 32 + 13] ^= 0x10
        try expect(orphan, "orphaned-long-name", blocks: false)
        let tree = try FATFileSystem.open(MemoryDevice(orphan.bytes))
        #expect(try Editor.find("/loader/loader.conf", in: tree) == nil)
        #expect(try Editor.find("/loader/LOADER~1.CON", in: tree) != nil)
        var twice = sound
        let grub = try sound.slotOffset("/EFI/debian/grub.cfg")
        let name = Array(sound.bytes[Int(grub)..<Int(grub) + 11])
        try twice.change("/EFI/debian/shimx64.efi") { $0.bytes.replaceSubrange(0..<11, with: name) }
        try expect(twice, "duplicate-name", also: ["orphaned-long-name"])
    }

    /// "." and ".." have a place, which is not in the root and not behind the first two slots.
    @Test(arguments: profiles) func dotsElsewhere(_ profile: Profile) throws {
        let sound = try volume(profile)
        for (path, name) in [
            ("/loader/loader.conf", "..         "), ("/loader", "..         "),
            ("/EFI/debian", ".          "),
        ] {
            var dots = sound
            try dots.change(path) { $0.bytes.replaceSubrange(0..<11, with: Array(name.utf8)) }
            try expect(
                dots, "bad-dot-entries", also: ["lost-clusters", "orphaned-long-name"],
                judged: path == "/loader")
        }
    }

    /// What is of no use to fsck.vfat is said, and the way that is said leads out.
    @Test func aLongNameWithASlash() throws {
        let sound = try volume(.fat16)
        var slash = sound
        let place = Int(try sound.slotOffset("/loader/loader.conf"))
        slash.bytes.storeLittle(UInt16(UInt8(ascii: "/")), at: place - 32 + 3)
        let message = try #require(try slash.refusal()).message
        #expect(message.contains("short name, LOADER~1.CON, in the guest or with mren"), "\(message)")
        let directory = try TemporaryDirectory()
        let image = try directory.write("image", slash.bytes)
        try Tool.run("mren", ["-i", image, "::/loader/LOADER~1.CON", "other.txt"])
        #expect(try DamagedVolume(fileBytes(image)).refusal() == nil)
    }

    /// Paths are put into words where something is found alone: each directory's would take the square of the depth.
    @Test func aDeepTree() throws {
        let depth = 600
        let device = MemoryDevice(try Profile.fat16.make())
        let transaction = try FATFileSystem.open(device).begin()
        var directory = transaction.rootDirectory
        for _ in 0..<depth {
            directory = try transaction.createDirectory(
                Array("DIRECTOR".utf8), in: directory, attributes: .init(permissions: 0))
        }
        try transaction.prepare().commit()
        var sound = VolumeCheck(try FATFileSystem.open(device)) { Issue.record("\($0)") }
        try sound.run()
        #expect(sound.path.shownByteCount == 0 && sound.claimed.count == depth)
        // One finding at the bottom: its path alone, and no more of it than a path may have.
        var volume = try DamagedVolume(device.contents)
        let last = Int(directory.rawValue)
        volume.bytes[last + 26] = 1
        volume.bytes[last + 27] = 0
        var found: [Finding] = []
        var damaged = VolumeCheck(try FATFileSystem.open(MemoryDevice(volume.bytes))) { found.append($0) }
        try damaged.run()
        let shown = try #require(found.first { $0.code == "cluster-out-of-range" })
        #expect(shown.message.hasPrefix("…") && shown.message.utf8.count < CheckedPath.limit + 200)
        #expect(damaged.path.shownByteCount <= CheckedPath.limit + 9)
    }

    @Test func backupBootSector() throws {
        let profile = PowerCutTests.profiles[2]
        var bytes = try profile.make(Self.files)
        bytes.replaceSubrange(0..<512, with: [UInt8](repeating: 0, count: 512))
        let device = MemoryDevice(bytes)
        #expect(try FATDriver.identify(device) == nil)
        var found: [Finding] = []
        try FATDriver.findRemains(on: device) { found.append($0) }
        #expect(found.map(\.code) == ["lost-boot-sector"] && found.first?.offset == 6 * 512)
        try FATDriver.findRemains(on: MemoryDevice(byteCount: 1 << 20)) { _ in
            Issue.record("nothing is there")
        }
    }

    @Test func bootSectorsThatCannotBe() throws {
        let bytes = try PowerCutTests.profiles[1].make()
        let changes: [(at: Int, bytes: [UInt8])] = [
            (11, [0, 0]), (11, [1, 2]), (11, [0, 0x20]), (13, [0]), (13, [3]), (14, [0, 0]), (16, [0]),
            (16, [5]),
            (21, [0]), (22, [0, 0]), (3, Array("NTFS    ".utf8)),
        ]
        for change in changes {
            var copy = bytes
            copy.replaceSubrange(change.at..<change.at + change.bytes.count, with: change.bytes)
            // Without its name and mark it would be none for that reason.
            let error = #expect(throws: StorageError.self, "\(change)") {
                try FATFileSystem.open(MemoryDevice(copy))
            }
            #expect(error?.code == "no-boot-sector" && error?.kind == .corrupt)
        }
        var noRoot = bytes
        noRoot.replaceSubrange(17..<19, with: [0, 0])
        let error = #expect(throws: StorageError.self) { try FATFileSystem.open(MemoryDevice(noRoot)) }
        #expect(error?.code == "bad-geometry")
        let short = Array(bytes[..<(bytes.count / 2)])
        let volume = try DamagedVolume(short)
        #expect(try volume.codes().contains("truncated-device"))
        #expect(try volume.refusal()?.code == "truncated-device")
        #expect(try FATFileSystem.open(MemoryDevice(short)).warnings.count == 1)
        let page = #expect(throws: StorageError.self) {
            try FATFileSystem.open(MemoryDevice(bytes), options: .init(codePage: 949))
        }
        #expect(page?.code == "unknown-code-page")
        // Fewer entries than clusters.
        var tables = bytes
        tables.replaceSubrange(22..<24, with: [1, 0])
        #expect(try DamagedVolume(tables).codes().contains("bad-geometry"))
    }
}
