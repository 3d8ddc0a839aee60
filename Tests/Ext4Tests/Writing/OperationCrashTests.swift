import Ext4
import Foundation
import Storage
import TestSupport
import Testing

/// Every operation of a transaction with the power cut at every write and flush of its commit: e2fsck makes the
/// volume sound without help, and the tree that debugfs then dumps is the old one or the new one, whole. All of it
/// takes long, so that Tests/Scripts/crash-sweep-kernel.sh asks for it; PowerCutTests are the short form.
@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["DISKGRAFT_CRASH_SWEEP"] == "full",
        "run Tests/Scripts/crash-sweep-kernel.sh"),
    .serialized)
struct OperationCrashTests {
    typealias Change = @Sendable (any FileSystemTransaction, FileID) throws -> Void

    /// Operations by name; each gets the transaction and the root.
    static let operations: [(name: String, change: Change)] = [
        (
            "replace with more",
            { transaction, root in
                let file = try find("etc/grub.cfg", transaction, root)
                try transaction.replaceContents(of: file, with: [UInt8](repeating: 0x6e, count: 30_000))
            }
        ),
        (
            "replace with as much",
            { transaction, root in
                let file = try find("etc/grub.cfg", transaction, root)
                try transaction.replaceContents(of: file, with: Array("timeout=0\n".utf8))
            }
        ),
        (
            "create",
            { transaction, root in
                let attributes = NewFileAttributes(permissions: 0o640)
                _ = try transaction.createFile(
                    Array("new".utf8), in: find("etc", transaction, root), contents: Array("new\n".utf8),
                    attributes: attributes)
            }
        ),
        (
            "remove",
            { transaction, root in
                try transaction.remove(Array("vmlinuz".utf8), in: find("boot", transaction, root))
            }
        ),
        (
            "rename over another",
            { transaction, root in
                let boot = try find("boot", transaction, root)
                let etc = try find("etc", transaction, root)
                try transaction.rename(
                    Array("vmlinuz".utf8), in: boot, to: Array("grub.cfg".utf8), in: etc)
            }
        ),
        (
            "move a directory",
            { transaction, root in
                try transaction.rename(
                    Array("boot".utf8), in: root, to: Array("moved".utf8),
                    in: find("etc", transaction, root))
            }
        ),
        (
            "directory and links",
            { transaction, root in
                let attributes = NewFileAttributes(permissions: 0o755)
                let made = try transaction.createDirectory(
                    Array("made".utf8), in: root, attributes: attributes)
                try transaction.link(
                    find("etc/grub.cfg", transaction, root), as: Array("hard".utf8), in: made)
                _ = try transaction.createSymbolicLink(
                    Array("soft".utf8), in: made, target: Array("/etc/grub.cfg".utf8),
                    attributes: attributes)
            }
        ),
        (
            "truncate and attributes",
            { transaction, root in
                let kernel = try find("boot/vmlinuz", transaction, root)
                try transaction.truncate(kernel, to: 5000)
                try transaction.setAttributes(of: kernel, AttributeChange(permissions: 0o600, owner: 5))
                try transaction.setExtendedAttribute(
                    Array("user.note".utf8), of: kernel, to: [UInt8](repeating: 7, count: 300))
            }
        ),
        (
            "write within and punch",
            { transaction, root in
                let kernel = try find("boot/vmlinuz", transaction, root)
                try transaction.write([UInt8](repeating: 9, count: 9000), to: kernel, at: 700)
                try transaction.punchHole(in: kernel, 16_000..<30_000)
                try transaction.write([1, 2, 3], to: kernel, at: 90_000)
            }
        ),
        (
            "nodes, label and an empty directory",
            { transaction, root in
                let attributes = NewFileAttributes(permissions: 0o600)
                _ = try transaction.createNode(
                    Array("console".utf8), in: root, type: .characterDevice,
                    device: .init(major: 5, minor: 1), attributes: attributes)
                _ = try transaction.createNode(
                    Array("pipe".utf8), in: root, type: .fifo, device: nil, attributes: attributes)
                try transaction.remove(Array("lost+found".utf8), in: root)
                try transaction.setLabel(Array("cut".utf8))
            }
        ),
    ]

    static func find(
        _ path: String, _ transaction: any FileSystemTransaction, _ root: FileID
    ) throws -> FileID {
        var current = root
        for part in path.split(separator: "/") {
            current = try #require(try transaction.lookUp(Array(part.utf8), in: current))
        }
        return current
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let profile: Profile
        let blockSize: Int
        let operation: Int
        var testDescription: String { "\(profile.name), \(blockSize), \(operations[operation].name)" }
    }

    /// Every operation on every profile with a journal, at both block sizes.
    static let all: [Case] = Profile.all.filter(\.hasJournal).flatMap { profile in
        [1024, 4096].flatMap { blockSize in
            operations.indices.map { Case(profile: profile, blockSize: blockSize, operation: $0) }
        }
    }
    @Test(arguments: all)
    func aCutLeavesTheOldTreeOrTheNew(_ item: Case) throws {
        let (before, device) = try Self.run(item)
        let old = try Dump(before)
        let new = try Dump(device.contents)
        #expect(old.isSound && new.isSound && old.text != new.text, "\(new.log)")
        let sweep = CrashSweep(initial: before, events: device.events)
        try sweep.forEachState(subsets: 4, seed: UInt64(item.operation)) { state in
            let dump = try Dump(state.image)
            #expect(dump.isSound, "\(state.label): \(dump.log)")
            #expect(dump.text == old.text || dump.text == new.text, "\(state.label): \(dump.text)")
        }
        #expect(try Dump(device.contents).text == new.text)
    }

    /// The image before, and the device after the commit with every write and flush.
    static func run(_ item: Case) throws -> (before: [UInt8], device: MemoryDevice) {
        let small = item.blockSize == 1024
        let image = try Image(
            item.profile, blockSize: item.blockSize,
            files: [
                "etc/grub.cfg": Array("timeout=5\n".utf8), "etc/other": Array("other\n".utf8),
                "boot/vmlinuz": [UInt8](repeating: 0x6b, count: 40_000),
            ],
            byteCount: small ? 6 << 20 : 16 << 20, more: ["-J", small ? "size=1" : "size=4"])
        let before = try fileBytes(image.path)
        let device = MemoryDevice(before)
        let volume = try Ext4FileSystem.open(device)
        let transaction = try volume.begin()
        try operations[item.operation].change(transaction, volume.rootDirectory)
        try transaction.prepare().commit()
        return (before, device)
    }
}

/// A volume's tree once e2fsck -p has been at it, dumped by debugfs; or, with DISKGRAFT_KERNEL_JUDGE=1 and root, as
/// a kernel's mount shows it. And what e2fsck says in the end.
private struct Dump {
    var isSound: Bool
    var log = ""
    /// A line a file: path, type, mode, owner, size, target; then the checksums of the contents, then attributes.
    var text: String

    private static let usesKernel = ProcessInfo.processInfo.environment["DISKGRAFT_KERNEL_JUDGE"] == "1"

    private static let list =
        "find . -printf '%p %y %m %U %s %l\\n' | grep -v '^[^ ]* d' | sort;"
        + "find . -type d | sort; find . -type f -exec sha256sum {} + | sort -k2"

    init(_ image: [UInt8]) throws {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let path = try directory.write("image", image)
        let out = directory.path("out")
        try Tool.run("mkdir", [out])
        var preen: Int32 = 0
        if Self.usesKernel {
            try Tool.run("mount", ["-o", "loop", path, out])
            text = try Tool.run("sh", ["-c", Self.list], directory: out).text
            try Tool.run("umount", [out])
        } else {
            let result = try Tool.run("e2fsck", ["-p", path], expect: nil)
            preen = result.status
            log = result.text + result.errorText
            try Tool.run("debugfs", ["-R", "rdump / \(out)", path])
            text = try Tool.run("sh", ["-c", Self.list], directory: out).text
        }
        let check = try Tool.run("e2fsck", ["-fn", path], expect: nil)
        isSound = preen <= 1 && check.status == 0
        log += check.text + check.errorText
        for name in ["/boot/vmlinuz", "/etc/moved/vmlinuz"] {
            text += try Tool.run("debugfs", ["-R", "ea_list \(name)", path]).text
        }
    }
}
