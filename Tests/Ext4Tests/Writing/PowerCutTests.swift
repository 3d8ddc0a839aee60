import Ext4
import Storage
import TestSupport
import Testing

/// The power fails at every write and flush of a transaction: with a journal e2fsck -p leaves the old or the new
/// tree; without one it leaves a sound volume.
@Suite struct PowerCutTests {
    /// Groups with few inodes, so that new ones come from a group that was never used.
    static let smallGroups = ["-g", "512", "-N", "128", "-O", "^resize_inode"]

    struct Case: Sendable, CustomTestStringConvertible {
        let profile: Profile
        let operation: Int
        var testDescription: String { "\(profile.name), \(operations[operation].0)" }
    }

    /// All on the oldest kind of volume and the newest; on the others those that use most of their structures.
    private static let journaled: [Case] = (Profile.all.filter(\.hasJournal) + [.inline]).flatMap { profile in
        operations.indices.filter { index in
            [Profile.ext3.name, Profile.seeded.name].contains(profile.name)
                || ["create", "rename", "link and attributes"].contains(operations[index].0)
        }.map { Case(profile: profile, operation: $0) }
    }

    /// Each operation once, and some that undo each other's work.
    private static let operations: [(String, @Sendable (any EveryChange, FileID) throws -> Void)] =
        [
            (
                "replace",
                { transaction, root in
                    let etc = try #require(try transaction.lookUp(Array("etc".utf8), in: root))
                    let fstab = try #require(try transaction.lookUp(Array("fstab".utf8), in: etc))
                    try transaction.replaceContents(of: fstab, with: ReplaceContentsTests.contents(9000))
                }
            ),
            (
                "create",
                { transaction, root in
                    _ = try transaction.createFile(
                        Array("new".utf8), in: root, contents: ReplaceContentsTests.contents(20_000),
                        attributes: .init(
                            permissions: 0o600,
                            extendedAttributes: [
                                .init(name: Array("user.x".utf8), value: [UInt8](repeating: 1, count: 300))
                            ]))
                    let directory = try transaction.createDirectory(
                        Array("made".utf8), in: root, attributes: .init(permissions: 0o755))
                    _ = try transaction.createSymbolicLink(
                        Array("link".utf8), in: directory, target: [UInt8](repeating: 65, count: 100),
                        attributes: .init(permissions: 0o777))
                }
            ),
            (
                "remove",
                { transaction, root in
                    try transaction.remove(Array("big".utf8), in: root)
                    try transaction.remove(Array("empty".utf8), in: root)
                }
            ),
            (
                "rename",
                { transaction, root in
                    let etc = try #require(try transaction.lookUp(Array("etc".utf8), in: root))
                    try transaction.rename(Array("big".utf8), in: root, to: Array("fstab".utf8), in: etc)
                    try transaction.rename(
                        Array("many".utf8), in: root, to: Array("still_many".utf8), in: root)
                }
            ),
            (
                "move a directory",
                { transaction, root in
                    let etc = try #require(try transaction.lookUp(Array("etc".utf8), in: root))
                    try transaction.rename(Array("empty".utf8), in: root, to: Array("moved".utf8), in: etc)
                }
            ),
            (
                "link and attributes",
                { transaction, root in
                    let big = try #require(try transaction.lookUp(Array("big".utf8), in: root))
                    try transaction.link(big, as: Array("second".utf8), in: root)
                    try transaction.setAttributes(of: big, .init(permissions: 0o600, owner: 70_000))
                    try transaction.setExtendedAttribute(
                        Array("user.long".utf8), of: big, to: [UInt8](repeating: 7, count: 500))
                    try transaction.truncate(big, to: 5000)
                }
            ),
            (
                "write within",
                { transaction, root in
                    let big = try #require(try transaction.lookUp(Array("big".utf8), in: root))
                    try transaction.write([UInt8](repeating: 9, count: 3000), to: big, at: 700)
                    try transaction.write([1, 2, 3], to: big, at: 100_000)
                    try transaction.punchHole(in: big, 5000..<20_000)
                }
            ),
            (
                "nodes and label",
                { transaction, root in
                    let etc = try #require(try transaction.lookUp(Array("etc".utf8), in: root))
                    _ = try transaction.createNode(
                        Array("console".utf8), in: etc, type: .characterDevice,
                        device: .init(major: 5, minor: 1), attributes: .init(permissions: 0o600))
                    try transaction.remove(Array("empty".utf8), in: root)
                    try transaction.setExtendedAttribute(
                        Array("system.posix_acl_default".utf8), of: etc,
                        to: [
                            2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 4, 0, 5, 0, 255, 255, 255, 255, 32, 0,
                            0,
                            0, 255, 255, 255, 255,
                        ])
                    try transaction.setAttributes(
                        of: etc, .init(accessTime: .init(seconds: 1), modificationTime: .init(seconds: 2)))
                    try transaction.setLabel(Array("cut".utf8))
                }
            ),
            (
                "names",
                { transaction, root in
                    let many = try #require(try transaction.lookUp(Array("many".utf8), in: root))
                    for index in 0..<12 {
                        _ = try transaction.createNode(
                            Array("another_name_that_makes_a_block_split_\(index)".utf8), in: many,
                            type: .fifo,
                            device: nil,
                            attributes: .init(permissions: 0o600))
                    }
                }
            ),
        ]

    private static func volume(_ profile: Profile, more: [String] = []) throws -> [UInt8] {
        let image = try Image(
            profile, blockSize: 1024,
            files: ["etc/fstab": Array("old\n".utf8), "big": ReplaceContentsTests.contents(30_000)],
            byteCount: 4 << 20, more: more + (profile.hasJournal ? ["-J", "size=1"] : []),
            garbage: !more.isEmpty
        ) { tree in
            try Tool.run(
                "sh",
                [
                    "-c",
                    "cd \"$0\" && mkdir empty many && for i in $(seq 55); do : > many/a_rather_long_name_in_a_directory_$i; done",
                    tree,
                ])
        }
        return try fileBytes(image.path)
    }

    private static func lines(_ bytes: [UInt8]) throws -> Set<[UInt8]> {
        try Listing.lines(of: Ext4FileSystem.open(MemoryDevice(bytes)))
    }

    @Test(arguments: journaled)
    private func oldOrNew(_ item: Case) throws {
        let (profile, operation) = (item.profile, item.operation)
        let before = try Self.volume(profile)
        let device = MemoryDevice(before)
        let volume = try Ext4FileSystem.open(device)
        let transaction = try volume.begin()
        try Self.operations[operation].1(transaction, volume.rootDirectory)
        let prepared = try transaction.prepare()
        #expect(prepared.blockWriteCount < 100)
        try prepared.commit()
        let old = try Self.lines(before)
        let new = try Self.lines(device.contents)
        #expect(old != new)
        try CrashSweep(initial: before, events: device.events).forEachState(subsets: 1, seed: 5) { state in
            let repaired = try Repaired(state.image)
            let isSound = repaired.isSound
            #expect(isSound, "\(Self.operations[operation].0), \(state.label): \(repaired.text)")
            let found = try Self.lines(repaired.bytes)
            #expect(found == old || found == new, "\(Self.operations[operation].0), \(state.label)")
        }
    }

    /// All but a directory's move to another: for a moment it has two names, which e2fsck -p leaves to a person.
    @Test(
        arguments: [(Profile.ext2, []), (.unjournaled, []), (.unjournaled, smallGroups)],
        operations.indices.filter { operations[$0].0 != "move a directory" })
    func soundWithoutAJournal(_ kind: (profile: Profile, more: [String]), operation: Int) throws {
        let before = try Self.volume(kind.profile, more: kind.more)
        let device = MemoryDevice(before)
        let volume = try Ext4FileSystem.open(device)
        let transaction = try volume.begin()
        try Self.operations[operation].1(transaction, volume.rootDirectory)
        try transaction.prepare().commit()
        try CrashSweep(initial: before, events: device.events).forEachState(subsets: 0, seed: 5) { state in
            let repaired = try Repaired(state.image)
            let isSound = repaired.isSound
            #expect(isSound, "\(Self.operations[operation].0), \(state.label): \(repaired.text)")
        }
    }
}
