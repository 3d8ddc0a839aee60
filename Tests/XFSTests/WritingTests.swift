import Storage
@_spi(Testing) import TestSupport
import Testing

@testable import XFS

/// Changes through the log: xfs_repair judges what is left, at every cut too.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct WritingTests {
    private static let files: [String: [UInt8]] = [
        "etc/fstab": TreeModel.contents(300), "boot/grub.cfg": TreeModel.contents(9000),
        "boot/initramfs": TreeModel.contents(70_000), "empty": [],
    ]

    private func defects(_ device: MemoryDevice) throws -> String { try XFSImage(device.contents).defects() }

    @Test(arguments: Profile.all) func contentsAreReplaced(_ profile: Profile) throws {
        let device = try XFSImage(profile, files: Self.files).device()
        var random = SeededRandom(3)
        for round in 0..<4 {
            let volume = try XFSFileSystem.open(device)
            let transaction = try volume.begin()
            var expected: [String: [UInt8]] = [:]
            for path in ["etc/fstab", "boot/grub.cfg", "boot/initramfs", "empty"] {
                let size = [0, 1, 511, 4096, 4097, 30_000, 200_000].randomElement(using: &random) ?? 0
                let contents = TreeModel.contents(size + round)
                let file = try #require(try volume.find(path))
                try transaction.replaceContents(of: file, with: contents)
                #expect(try transaction.contents(of: file) == contents)
                expected[path] = contents
            }
            device.clearEvents()
            let prepared = try transaction.prepare()
            #expect(device.events.isEmpty)
            try prepared.commit()
            #expect(device.events.last == .flush)
            let again = try XFSFileSystem.open(device)
            #expect(again.warnings == [])
            for (path, contents) in expected {
                let file = try #require(try again.find(path))
                #expect(try again.contents(of: file) == contents)
                #expect(try volume.contents(of: file) == contents)
            }
            #expect(try defects(device) == "", "round \(round)")
            var findings: [Finding] = []
            try XFSDriver.check(device) { findings.append($0) }
            #expect(findings == [])
        }
    }

    /// Any part of any phase: the old contents or the new ones, and sound once the log was replayed.
    @Test(arguments: [Profile.rhel7, .rhel10, .smallBlocks, .largeSectors, .rhel6])
    func powerCuts(_ profile: Profile) throws {
        let bytes = try XFSImage(profile, files: Self.files).bytes()
        let device = MemoryDevice(bytes)
        let volume = try XFSFileSystem.open(device)
        let transaction = try volume.begin()
        for (path, size) in [("boot/grub.cfg", 12_000), ("etc/fstab", 100)] {
            try transaction.replaceContents(
                of: #require(try volume.find(path)), with: TreeModel.contents(size))
        }
        let file = try #require(try volume.find("empty"))
        try transaction.setAttributes(of: file, AttributeChange(permissions: 0o600))
        let prepared = try #require(try transaction.prepare() as? PreparedXFSChange)
        var outcomes: Set<Int> = []
        var judged = 0
        try PowerCut.replay(prepared.writes, onto: bytes, subsets: 4) { state in
            let found = try XFSFileSystem.open(MemoryDevice(state.image))
            let menu = try found.contents(of: #require(try found.find("boot/grub.cfg"))).count
            let fstab = try found.contents(of: #require(try found.find("etc/fstab"))).count
            let mode = try found.attributes(of: file).permissions
            let isNew = menu == 12_000
            #expect(fstab == (isNew ? 100 : 300) && mode == (isNew ? 0o600 : 0o644), "\(state.label)")
            #expect(menu == 12_000 || menu == 9000, "\(state.label)")
            outcomes.insert(menu)
            if state.phase == "data" { #expect(!isNew) }
            if state.phase == "home" || state.phase == "unmount" { #expect(isNew) }
            judged += 1
            guard judged % 3 == 0 else { return }
            let mended = try XFSImage(Self.recovered(state.image))
            #expect(try mended.defects() == "", "\(state.label) in phase \(state.phase ?? "-")")
        }
        #expect(outcomes == [9000, 12_000])
    }

    /// The image as it is after the log's replay, with the counters that a mount counts anew and the log clean.
    static func recovered(_ image: [UInt8]) throws -> [UInt8] {
        let base = MemoryDevice(image)
        let plain = try XFSFileSystem.openIgnoringLog(base, options: .init())
        guard let replay = try plain.replayLog(on: base) else { return image }
        let device = MemoryDevice(try replay.device.bytes(at: 0, count: image.count))
        let replayed = try XFSFileSystem.openIgnoringLog(device, options: .init())
        var free: UInt64 = 0
        for group in 0..<replayed.geometry.groupCount {
            let headers = try replayed.headers(of: AGNumber(group))
            free += UInt64(headers.free(GroupHeaders.FreeSpaceOffset.freeCount))
            free += UInt64(headers.free(GroupHeaders.FreeSpaceOffset.listCount))
            free += UInt64(headers.free(GroupHeaders.FreeSpaceOffset.treeBlockCount))
        }
        var superblock = replayed.superblock
        superblock.bytes.storeBig(free, at: Superblock.Offset.freeBlockCount)
        for (place, field) in [
            (GroupHeaders.InodesOffset.count, Superblock.Offset.inodeCount),
            (GroupHeaders.InodesOffset.freeCount, Superblock.Offset.freeInodeCount),
        ] {
            var total: UInt64 = 0
            for group in 0..<replayed.geometry.groupCount {
                total += UInt64(try replayed.headers(of: AGNumber(group)).inode(place))
            }
            superblock.bytes.storeBig(total, at: field)
        }
        if replayed.geometry.hasChecksums {
            Checksum.update(&superblock.bytes, at: Superblock.Offset.checksum)
        }
        try device.write(superblock.bytes, at: 0)
        let ring = try #require(try replayed.logRing(on: device))
        let commit = try LogCommit(
            ring, ring.state(), [], uuid: replayed.geometry.uuid, unit: 32 << 10, transaction: 1)
        for write in commit.stamps + commit.records.joined() + commit.unmount {
            try device.write(write.bytes(), at: write.offset)
        }
        return device.contents
    }

    /// The log goes round its ring many times.
    @Test(arguments: [Profile.rhel9, .largeSectors, .rhel6]) func theLogWraps(_ profile: Profile) throws {
        let device = try XFSImage(profile, files: Self.files).device()
        var wraps = 0
        for _ in 0..<2 {
            // Up to near the ring's end by records of nothing, round it by changes.
            while true {
                let volume = try XFSFileSystem.open(device)
                let ring = try #require(try volume.logRing(on: device))
                let state = try ring.state()
                guard state.head < ring.count - 300 else { break }
                let filler = try LogCommit(
                    ring, state, [], uuid: volume.geometry.uuid, unit: 64 << 10, transaction: 7)
                for write in filler.stamps + filler.records.joined() + filler.unmount {
                    try device.write(write.bytes(), at: write.offset)
                }
            }
            let start = try XFSFileSystem.open(device)
            var last = try #require(try start.logRing(on: device)).state().head
            for commit in 0..<80 {
                let volume = try XFSFileSystem.open(device)
                let file = try #require(try volume.find("etc/fstab"))
                let transaction = try volume.begin()
                try transaction.replaceContents(of: file, with: TreeModel.contents(commit * 100))
                try transaction.prepare().commit()
                let head = try #require(try volume.logRing(on: device)).state().head
                if head < last { wraps += 1 }
                last = head
            }
        }
        #expect(wraps >= 2)
        #expect(try defects(device) == "")
    }

    /// The kernel's next record begins at the stripe unit: one that ends elsewhere would leave a gap before it.
    @Test func recordsEndAtTheStripe() throws {
        let device = try XFSImage(.largeSectors, files: Self.files).device()
        for size in [100, 9000, 40_000] {
            let volume = try XFSFileSystem.open(device)
            let transaction = try volume.begin()
            let file = try #require(try volume.find("etc/fstab"))
            try transaction.replaceContents(of: file, with: TreeModel.contents(size))
            let prepared = try #require(try transaction.prepare() as? PreparedXFSChange)
            let ring = try #require(try volume.logRing(on: device))
            for phase in prepared.writes.phases where phase.name == "log" || phase.name == "unmount" {
                let end = phase.writes.reduce(0) { max($0, $1.offset + UInt64($1.byteCount)) }
                #expect((end - ring.position(of: 0)) % (32 << 10) == 0, "\(size) bytes, \(phase.name)")
            }
            try prepared.commit()
        }
        #expect(try defects(device) == "")
    }

    @Test func theLabelIsInEveryGroup() throws {
        for profile in [Profile.rhel9, .rhel6] {
            let device = try XFSImage(profile, files: Self.files).device()
            let volume = try XFSFileSystem.open(device)
            let transaction = try volume.begin()
            try transaction.setLabel(Array("twelve bytes".utf8))
            try transaction.prepare().commit()
            #expect(volume.identity.label?.text == "twelve bytes")
            let image = try XFSImage(device.contents)
            #expect(try image.defects() == "")
            let label = try Tool.run("xfs_admin", ["-l", image.path]).text
            #expect(label.contains("\"twelve bytes\""))
        }
    }

    @Test func refusals() throws {
        let bytes = try XFSImage(.rhel9, files: Self.files).bytes()
        func beginning(_ offset: Int, _ value: [UInt8]) -> String {
            var copy = bytes
            copy.replaceSubrange(offset..<offset + value.count, with: value)
            var sector = Array(copy[0..<512])
            Checksum.update(&sector, at: Superblock.Offset.checksum)
            copy.replaceSubrange(0..<512, with: sector)
            return code { _ = try XFSFileSystem.open(MemoryDevice(copy)).begin() }
        }
        let features = Array(bytes[216..<220])
        for (bit, byte) in [(UInt8(0x10), 3), (0x80, 3), (1, 2)] {
            var changed = features
            changed[byte] |= bit
            #expect(beginning(216, changed) == "unwritable-feature", "\(bit)")
        }
        #expect(beginning(212, [0x40, 0, 0, 0]) == "unwritable-feature")
        #expect(beginning(220, [0, 0, 0, 1]) == "unwritable-feature")
        #expect(beginning(16, [0, 0, 0, 0, 0, 0, 0, 1]) == "unwritable-feature")
        #expect(beginning(178, [1]) == "unwritable-feature")
        // A log with something to replay.
        let device = MemoryDevice(bytes)
        let volume = try XFSFileSystem.open(device)
        let transaction = try volume.begin()
        let file = try #require(try volume.find("etc/fstab"))
        try transaction.replaceContents(of: file, with: [1])
        let prepared = try #require(try transaction.prepare() as? PreparedXFSChange)
        try prepared.writes.upTo("log").commit(to: device)
        let dirty = try XFSFileSystem.open(device)
        #expect(dirty.capabilities.changes == [] && dirty.capabilities.restriction != nil)
        #expect(code { _ = try dirty.begin() } == "not-clean")
        // More than there is room for leaves no trace.
        let again = try XFSFileSystem.open(MemoryDevice(bytes))
        let full = try again.begin()
        #expect(
            code { try full.replaceContents(of: file, with: [UInt8](repeating: 1, count: 64 << 20)) }
                == "no-space")
        #expect(try full.prepare().isEmpty)
        #expect(code { try full.replaceContents(of: file, with: []) } == "transaction-finished")
        #expect(
            code {
                try XFSFileSystem.open(MemoryDevice(bytes)).begin().replaceContents(
                    of: again.rootDirectory, with: [])
            } == "not-a-regular-file")
    }
}
