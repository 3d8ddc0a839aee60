import Ext4
import Storage
import Synchronization
import TestSupport
import Testing

/// One operation of a transaction, for sweeps of power cuts.
struct CrashOperation: Sendable {
    let name: String
    /// Only where files are kept in their inodes.
    var needsInlineData = false
    let change: @Sendable (PathEditor, CrashVolume) throws -> Void

    init(
        _ name: String, needsInlineData: Bool = false,
        _ change: @escaping @Sendable (PathEditor, CrashVolume) throws -> Void
    ) {
        self.name = name
        self.needsInlineData = needsInlineData
        self.change = change
    }

    private static func bytes(_ count: Int) -> [UInt8] { ReplaceContentsTests.contents(count) }

    /// Every operation, each alone.
    static let all: [CrashOperation] = [
        .init("replace, shorter") { edit, _ in try edit.replace("boot/vmlinuz", bytes(3000)) },
        .init("replace, as long") { edit, _ in try edit.replace("boot/vmlinuz", bytes(40_000).reversed()) },
        .init("replace, longer") { edit, _ in try edit.replace("etc/grub.cfg", bytes(30_000)) },
        .init("replace, in new blocks") { edit, volume in
            try edit.replace("boot/vmlinuz", bytes(volume.blockSize * 65))
        },
        .init("create") { edit, _ in try edit.create("etc/new", bytes(5000)) },
        .init("remove") { edit, _ in try edit.remove("boot/vmlinuz") },
        .init("remove one of two names") { edit, _ in try edit.remove("etc/second") },
        .init("rename in a directory") { edit, _ in try edit.rename("etc/other", to: "etc/renamed") },
        .init("rename over another") { edit, _ in try edit.rename("boot/vmlinuz", to: "etc/grub.cfg") },
        .init("rename to another directory") { edit, _ in try edit.rename("etc/other", to: "boot/other") },
        .init("rename a directory") { edit, _ in try edit.rename("boot", to: "start") },
        .init("move a directory") { edit, _ in try edit.rename("boot", to: "etc/moved") },
        .init("link") { edit, _ in try edit.link("etc/other", as: "boot/linked") },
        .init("symbolic link, short") { edit, _ in
            try edit.makeSymbolicLink("etc/soft", to: Array("other".utf8))
        },
        .init("symbolic link, long") { edit, _ in
            try edit.makeSymbolicLink("etc/soft", to: [UInt8](repeating: 0x61, count: 300))
        },
        .init("mkdir") { edit, _ in try edit.makeDirectory("etc/made") },
        .init("rmdir") { edit, _ in try edit.remove("empty") },
        .init("mknod, character device") { edit, _ in
            try edit.makeNode("etc/console", .characterDevice, .init(major: 5, minor: 1))
        },
        .init("mknod, FIFO") { edit, _ in try edit.makeNode("etc/pipe", .fifo) },
        .init("chmod") { edit, _ in
            try edit.transaction.setAttributes(of: edit.find("etc/other"), .init(permissions: 0o4711))
        },
        .init("chmod with an ACL") { edit, _ in
            try edit.transaction.setAttributes(of: edit.find("etc/acl"), .init(permissions: 0o666))
        },
        .init("chown") { edit, _ in
            try edit.transaction.setAttributes(of: edit.find("etc/other"), .init(owner: 70_000, group: 7))
        },
        .init("times") { edit, _ in
            try edit.transaction.setAttributes(
                of: edit.find("etc/other"),
                .init(accessTime: .init(seconds: 1000), modificationTime: .init(seconds: 2_000_000)))
        },
        .init("set an attribute, short") { edit, _ in
            try edit.setAttribute("user.short", of: "etc/other", bytes(12))
        },
        .init("set an attribute, long") { edit, _ in
            try edit.setAttribute("user.long", of: "etc/other", bytes(400))
        },
        .init("replace an attribute, short") { edit, _ in
            try edit.setAttribute("user.note", of: "etc/acl", bytes(9))
        },
        .init("replace an attribute, long") { edit, _ in
            try edit.setAttribute("user.block", of: "etc/acl", bytes(350))
        },
        .init("replace an attribute, short by long") { edit, _ in
            try edit.setAttribute("user.note", of: "etc/acl", bytes(300))
        },
        .init("remove an attribute") { edit, _ in try edit.setAttribute("user.note", of: "etc/acl", nil) },
        .init("remove the attribute of a block") { edit, _ in
            try edit.setAttribute("user.block", of: "etc/acl", nil)
        },
        .init("set an ACL") { edit, _ in
            try edit.setAttribute("system.posix_acl_access", of: "etc/other", CrashVolume.accessList)
        },
        .init("set a default ACL") { edit, _ in
            try edit.setAttribute("system.posix_acl_default", of: "empty", CrashVolume.accessList)
        },
        .init("remove an ACL") { edit, _ in
            try edit.setAttribute("system.posix_acl_access", of: "etc/acl", nil)
        },
        .init("label") { edit, _ in try edit.transaction.setLabel(Array("cut".utf8)) },
        .init("truncate, longer") { edit, _ in
            try edit.transaction.truncate(edit.find("etc/grub.cfg"), to: 100_000)
        },
        .init("truncate, shorter") { edit, _ in
            try edit.transaction.truncate(edit.find("boot/vmlinuz"), to: 5000)
        },
        .init("punch") { edit, _ in
            try edit.transaction.punchHole(in: edit.find("boot/vmlinuz"), 6000..<30_000)
        },
        .init("write within") { edit, _ in
            try edit.transaction.write(bytes(9000), to: edit.find("boot/vmlinuz"), at: 700)
        },
        .init("write behind the end") { edit, _ in
            try edit.transaction.write([1, 2, 3], to: edit.find("boot/vmlinuz"), at: 90_000)
        },
        .init("a name that splits a leaf") { edit, volume in
            try edit.create("index/\(CrashVolume.name(volume.indexCount))", [])
        },
        .init("a name that makes an index") { edit, volume in
            try edit.create("full/\(CrashVolume.name(volume.fullCount))", [])
        },
        .init("a file leaves its inode", needsInlineData: true) { edit, _ in
            try edit.replace("etc/tiny", bytes(500))
        },
        .init("a file stays in its inode", needsInlineData: true) { edit, _ in
            try edit.replace("etc/tiny", bytes(70))
        },
        .init("a directory leaves its inode", needsInlineData: true) { edit, _ in
            try edit.create("empty/first", bytes(20))
        },
    ]
}

/// The volume that the operations work on; small, because it is written anew for every state.
struct CrashVolume: Sendable {
    let blockSize: Int
    var bytes: [UInt8] = []
    /// How many names the directories have: one more makes an index of the one and splits a leaf of the other.
    var fullCount = 0
    var indexCount = 0

    /// Profiles with a journal.
    static let profiles = Profile.all.filter(\.hasJournal) + [.inline]

    /// A long name: few of them fill a block.
    static func name(_ index: Int) -> String { "\(index)" + String(repeating: "n", count: 200) }

    /// What getxattr(2) gives for user:rw, user 1000:r, group:r, mask:r, others:none.
    static let accessList: [UInt8] = {
        let all: [UInt8] = [255, 255, 255, 255]
        var value: [UInt8] = [2, 0, 0, 0, 1, 0, 6, 0] + all
        value += [2, 0, 4, 0, 0xe8, 3, 0, 0]
        value += [4, 0, 4, 0] + all
        value += [0x10, 0, 4, 0] + all
        return value + [0x20, 0, 0, 0] + all
    }()

    private static let made = Mutex<[String: CrashVolume]>([:])

    /// The volume of a profile, made once.
    static func volume(_ profile: Profile, blockSize: Int) throws -> CrashVolume {
        try made.withLock { made in
            let key = "\(profile.name) \(blockSize)"
            if let known = made[key] { return known }
            let volume = try CrashVolume(profile, blockSize: blockSize)
            made[key] = volume
            return volume
        }
    }

    private init(_ profile: Profile, blockSize: Int) throws {
        self.blockSize = blockSize
        let image = try Image(
            profile, blockSize: blockSize,
            files: [
                "etc/grub.cfg": Array("timeout=5\n".utf8), "etc/other": Array("other\n".utf8),
                "etc/acl": Array("listed\n".utf8), "etc/tiny": ReplaceContentsTests.contents(40),
                "boot/vmlinuz": ReplaceContentsTests.contents(40_000),
            ],
            byteCount: blockSize == 1024 ? 3 << 20 : 9 << 20,
            more: ["-N", "192", "-J", blockSize == 1024 ? "size=1" : "size=4"]
        ) { tree in
            let command = """
                cd "$0" && ln etc/other etc/second && mkdir empty full index
                for i in $(seq 0 $((3 * \(blockSize) / 220))); do : > index/$i$(printf 'n%.0s' $(seq 200)); done
                """
            try Tool.run("sh", ["-c", command, tree])
        }
        // Gives the long directory its index.
        try Tool.run("e2fsck", ["-fyD", image.path], expect: 0...1)
        bytes = try fileBytes(image.path)
        try apply { edit in
            try edit.setAttribute("user.note", of: "etc/acl", Array("note".utf8))
            try edit.setAttribute("user.block", of: "etc/acl", ReplaceContentsTests.contents(300))
            try edit.setAttribute("system.posix_acl_access", of: "etc/acl", Self.accessList)
        }
        fullCount = try fill("full", from: 0)
        indexCount = try fill("index", from: 3 * blockSize / 220 + 1)
        #expect(try Repaired(bytes).isSound)
    }

    /// Makes names while the directory stays as long as it is, and returns the number of the next.
    private mutating func fill(_ directory: String, from first: Int) throws -> Int {
        var number = first
        while true {
            var growth: UInt64 = 0
            let after = try changed { edit in
                let before = try edit.transaction.attributes(of: edit.find(directory)).size
                try edit.create("\(directory)/\(Self.name(number))", [])
                growth = try edit.transaction.attributes(of: edit.find(directory)).size - before
            }
            // A directory leaves its inode, or gets its first block, before it fills up.
            if growth > 0, number > first { return number }
            bytes = after
            number += 1
        }
    }

    private mutating func apply(_ change: (PathEditor) throws -> Void) throws { bytes = try changed(change) }

    private func changed(_ change: (PathEditor) throws -> Void) throws -> [UInt8] {
        try commit { editor, _ in try change(editor) }.contents
    }

    /// The device after a change of this volume, with every write and flush.
    func commit(_ change: (PathEditor, CrashVolume) throws -> Void) throws -> MemoryDevice {
        let device = MemoryDevice(bytes)
        let volume = try Ext4FileSystem.open(device)
        let transaction = try volume.begin()
        try change(PathEditor(transaction: transaction, root: volume.rootDirectory), self)
        try transaction.prepare().commit()
        return device
    }
}
