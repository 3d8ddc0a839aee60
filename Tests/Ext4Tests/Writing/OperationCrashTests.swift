import Ext4
import Foundation
import Storage
import TestSupport
import Testing

/// Every operation of a transaction on every profile with a journal, with the power cut at every write and flush of
/// its commit and with writes between two flushes in any order: e2fsck or the kernel makes the volume sound without
/// help, and what is then on it is the old state or the new one, whole. All of it takes minutes, so that
/// Tests/Scripts/crash-sweep-kernel.sh asks for it; PowerCutTests are the short form.
@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["DISKGRAFT_CRASH_SWEEP"] == "full",
        "run Tests/Scripts/crash-sweep-kernel.sh"))
struct OperationCrashTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let profile: Profile
        let blockSize: Int
        let operation: CrashOperation
        var testDescription: String { "\(profile.name), \(blockSize), \(operation.name)" }
    }

    /// Every operation on every profile with a journal, at two block sizes.
    static let all: [Case] = CrashVolume.profiles.flatMap { profile in
        [1024, 4096].flatMap { blockSize in
            CrashOperation.all.filter { !$0.needsInlineData || profile.name == Profile.inline.name }.map {
                Case(profile: profile, blockSize: blockSize, operation: $0)
            }
        }
    }

    @Test(arguments: all)
    func aCutLeavesTheOldOrTheNew(_ item: Case) throws {
        let volume = try CrashVolume.volume(item.profile, blockSize: item.blockSize)
        let device = try volume.commit(item.operation.change)
        let old = try VolumeDump(volume.bytes)
        let new = try VolumeDump(device.contents)
        let isChanged = old.contents != new.contents
        #expect(old.isSound && new.isSound && isChanged, "\(old.log) \(new.log)")
        let sweep = CrashSweep(initial: volume.bytes, events: device.events)
        var count = 0
        try sweep.forEachState(subsets: 3, seed: UInt64(item.operation.name.utf8.count)) { state in
            let dump = try VolumeDump(state.image)
            #expect(dump.isSound, "\(state.label): \(dump.log)")
            let isOldOrNew = dump.contents == old.contents || dump.contents == new.contents
            #expect(isOldOrNew, "\(state.label): \(dump.difference(from: new))")
            count += 1
        }
        print("\(count) states of \(item.testDescription)")
    }
}

/// All that a volume holds once e2fsck -p has been at it, by debugfs: inodes with modes, owners, times, device numbers,
/// places and attributes, contents, directories, the label. Or, with DISKGRAFT_KERNEL_JUDGE=1 and root, as a kernel's
/// mount shows it. And what e2fsck says in the end.
private struct VolumeDump {
    let isSound: Bool
    let log: String
    let contents: [UInt8]

    private static let usesKernel = ProcessInfo.processInfo.environment["DISKGRAFT_KERNEL_JUDGE"] == "1"

    private static let debugfsScript = """
        e2fsck -p image > log 2>&1
        [ $? -le 1 ] || echo unsound
        debugfs -f "$0" image 2>&1
        """
    private static let kernelScript = """
        mkdir mnt && mount -o loop,noatime image mnt && (cd mnt && python3 -c "$1") && umount mnt || echo unsound
        """
    private static let closing = """
        e2label image
        e2fsck -fn image >> log 2>&1 || echo unsound
        """

    /// stat shows everything an inode says; the journal's and other reserved ones are left out.
    private static let commands = ([2] + Array(11...192)).map {
        "stat <\($0)>\nea_list <\($0)>\ncat <\($0)>\n"
    }.joined()

    private static let list = """
        import hashlib, os, stat
        def show(path):
            s = os.lstat(path); kind = stat.S_IFMT(s.st_mode)
            what = os.readlink(path) if kind == stat.S_IFLNK else hashlib.sha256(open(path, 'rb').read()).hexdigest() if kind == stat.S_IFREG else ''
            times = (s.st_mtime_ns, s.st_ctime_ns, 0 if kind == stat.S_IFDIR else s.st_atime_ns)
            attributes = sorted((n, os.getxattr(path, n, follow_symlinks=False)) for n in os.listxattr(path, follow_symlinks=False))
            print(path, s.st_ino, oct(s.st_mode), s.st_uid, s.st_gid, s.st_nlink, s.st_size, s.st_rdev, times, what, attributes)
        show('.')
        for top, directories, files in os.walk('.'):
            directories.sort()
            for name in sorted(directories + files): show(os.path.join(top, name))
        """

    init(_ image: [UInt8]) throws {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        try directory.write("image", image)
        let commands = try directory.write("commands", Self.commands)
        let script = (Self.usesKernel ? Self.kernelScript : Self.debugfsScript) + "\n" + Self.closing
        let result = try Tool.run("sh", ["-c", script, commands, Self.list], directory: directory.root)
        contents = result.output
        log = (try? String(decoding: fileBytes(directory.path("log")), as: UTF8.self)) ?? ""
        isSound =
            !contents.contains(Array("\nunsound\n".utf8)) && !contents.starts(with: Array("unsound\n".utf8))
    }

    /// The first line that another dump does not have.
    func difference(from other: VolumeDump) -> String {
        let lines = Set(other.contents.split(separator: UInt8(ascii: "\n")))
        let line = contents.split(separator: UInt8(ascii: "\n")).first { !lines.contains($0) }
        return line.map { String(decoding: $0, as: UTF8.self) } ?? "lines are missing"
    }
}
