import Ext4
import Foundation
import Storage
import TestSupport
import Testing

/// Whether tests may let the kernel mount what they made.
enum KernelMounts {
    static let environment = ProcessInfo.processInfo.environment
    /// By a script under Tests/Scripts: everything, and no skipping.
    static let areAskedFor = environment["DISKGRAFT_KERNEL_JUDGE"] == "1"
    /// Asked for, or possible: root, a free loop device and mounts that work.
    static let areThere: Bool = {
        if areAskedFor { return true }
        guard environment["DISKGRAFT_NO_MOUNTS"] == nil, getuid() == 0, Tool.has("python3", "losetup"),
            let image = try? Image(.seeded, blockSize: 4096)
        else { return false }
        let point = image.directory.path("mnt")
        let command = "mkdir \"$1\" && mount -o loop \"$0\" \"$1\" && umount \"$1\""
        return (try? Tool.run("sh", ["-c", command, image.path, point])) != nil
    }()
}

/// Seeded series of operations, done here and by a kernel on a twin of the volume: trees equal after each round,
/// e2fsck content, and the kernel works on with what was written here. Needs root and loop devices:
/// Tests/Scripts/series-kernel.sh runs all variants, `make test` a few where it may mount.
@Suite(.enabled(if: KernelMounts.areThere, "needs root and loop devices"), .serialized)
struct SeriesKernelTests {
    private static let rounds = Int(KernelMounts.environment["DISKGRAFT_SERIES_ROUNDS"] ?? "") ?? 3
    private static let steps = Int(KernelMounts.environment["DISKGRAFT_SERIES_STEPS"] ?? "") ?? 150

    /// How a volume is before the series begins.
    enum Filling: String, Sendable { case none = "", nearlyFull = "nearly full", fragmented }

    struct Variant: Sendable, CustomTestStringConvertible {
        let profile: Profile
        let blockSize: Int
        var more: [String] = []
        var filling = Filling.none
        var testDescription: String {
            "\(profile.name), \(blockSize) \(more.joined(separator: " ")) \(filling.rawValue)"
        }
    }

    static let all: [Variant] = Profile.all.flatMap { profile in
        [1024, 2048, 4096].flatMap { blockSize in
            let options = profile.options.joined(separator: " ")
            var more: [[String]] = [[], ["-I", "128"], ["-I", "512"]]
            if options.contains("flex_bg") { more.append(["-O", "^flex_bg"]) }
            if options.contains("64bit") { more.append(["-E", "desc_size=128"]) }
            return more.map { Variant(profile: profile, blockSize: blockSize, more: $0) }
                + [.nearlyFull, .fragmented].map {
                    Variant(profile: profile, blockSize: blockSize, filling: $0)
                }
        }
    }

    static let few = [
        Variant(profile: .ext3, blockSize: 1024),
        Variant(profile: .ext2, blockSize: 1024, filling: .fragmented),
        Variant(profile: .seeded, blockSize: 4096, filling: .nearlyFull),
        Variant(profile: .crc16Wide, blockSize: 2048, more: ["-E", "desc_size=128"]),
    ]

    @Test(arguments: KernelMounts.areAskedFor ? all : few)
    func theKernelDoesTheSame(_ variant: Variant) throws {
        let image = try Image(variant.profile, blockSize: variant.blockSize, more: variant.more)
        let directory = image.directory
        let points = ["ours", "twin"].map { directory.path($0) }
        try Tool.run("mkdir", points)
        // The twin has room: what fits here must fit there, though the kernel keeps some back.
        let twin = directory.path("twin.img")
        try Tool.run("cp", ["--sparse=always", image.path, twin])
        try fill(image.path, variant, at: points[0])
        try fill(
            twin,
            Variant(
                profile: variant.profile, blockSize: variant.blockSize,
                filling: variant.filling == .fragmented ? .fragmented : .none), at: points[1])
        var model = TreeModel(seed: UInt64(variant.testDescription.utf8.count), blockSize: variant.blockSize)
        var refusals = 0
        for round in 0..<Self.rounds {
            let operations = try change(image.path, &model, &refusals, variant)
            #expect(try image.defects() == "", "round \(round), before the kernel")
            let list = try directory.write("operations.json", JSONEncoder().encode(operations).map { $0 })
            try mounted(twin, at: points[1]) {
                try Tool.run("python3", ["-c", RecordingTransaction.replay, points[1], list])
                try mounted(image.path, at: points[0]) {
                    try model.check(treeAt: points[0])
                    #expect(try Self.listing(points[0]) == Self.listing(points[1]), "round \(round)")
                    try Self.workOn(points[0])
                }
            }
            #expect(try image.defects() == "", "round \(round), after the kernel")
        }
        try model.check(Ext4FileSystem.open(FileDevice(image.path)))
        if variant.filling == .nearlyFull, KernelMounts.areAskedFor {
            #expect(refusals > 0, "the volume was never full")
        }
    }

    /// One round: a transaction, or several where the volume is nearly full and refuses some.
    private func change(
        _ path: String, _ model: inout TreeModel, _ refusals: inout Int, _ variant: Variant
    ) throws -> [[String]] {
        let batches = variant.filling == .nearlyFull ? 10 : 1
        var operations: [[String]] = []
        for _ in 0..<batches {
            let volume = try Ext4FileSystem.open(FileDevice(path, access: .write))
            let transaction = RecordingTransaction(try volume.begin(), root: volume.rootDirectory)
            let before = model
            do {
                for _ in 0..<Self.steps / batches { try model.step(transaction, volume.rootDirectory) }
                try transaction.prepare().commit()
                operations += transaction.operations
            } catch let error as StorageError where error.code == "no-space" || error.code == "no-inodes" {
                // Nothing was written: the tree is as before.
                model.restore(before)
                refusals += 1
            }
        }
        return operations
    }

    private func fill(_ path: String, _ variant: Variant, at point: String) throws {
        guard variant.filling != .none else { return }
        try mounted(path, at: point) {
            let script =
                variant.filling == .nearlyFull
                ? "cat /dev/zero > fill 2>/dev/null; sync -f .; true"
                : "mkdir fill && i=0; while [ $i -lt 900 ] && head -c $((\(variant.blockSize) * 3)) /dev/zero > fill/$i;"
                    + " do i=$((i+1)); done 2>/dev/null; sync -f .; rm -f fill/*[02468]"
            try Tool.run("sh", ["-c", script], directory: point)
        }
        guard variant.filling == .nearlyFull else { return }
        // What the kernel keeps back for itself.
        let volume = try Ext4FileSystem.open(FileDevice(path, access: .write))
        let left = Int(clamping: volume.identity.freeByteCount ?? 0) - variant.blockSize * 40
        let transaction = try volume.begin()
        if left > 0 {
            _ = try transaction.createFile(
                Array("fill2".utf8), in: volume.rootDirectory, contents: [UInt8](repeating: 0, count: left),
                attributes: .init(permissions: 0o600))
        } else {
            let file = try volume.file("/fill")
            let size = try volume.attributes(of: file).size
            try transaction.truncate(file, to: size - UInt64(variant.blockSize * 40))
        }
        try transaction.prepare().commit()
    }

    private func mounted(_ path: String, at point: String, _ body: () throws -> Void) throws {
        try Tool.run("mount", ["-o", "loop,user_xattr", path, point])
        do {
            try body()
        } catch {
            try Tool.run("umount", [point])
            throw error
        }
        try Tool.run("umount", [point])
    }

    /// Everything that a tree says but times and places.
    private static func listing(_ point: String) throws -> String {
        let script = """
            import hashlib, os, stat, sys
            os.chdir(sys.argv[1])
            names = {}
            for top, directories, files in os.walk('.'):
                for name in directories + files:
                    path = os.path.join(top, name); s = os.lstat(path)
                    first = names.setdefault(s.st_ino, path)
                    kind = stat.S_IFMT(s.st_mode)
                    what = os.readlink(path) if kind == stat.S_IFLNK else hashlib.sha256(open(path, 'rb').read()).hexdigest() if kind == stat.S_IFREG else s.st_rdev if kind in (stat.S_IFCHR, stat.S_IFBLK) else ''
                    size = 0 if kind == stat.S_IFDIR else s.st_size
                    attributes = sorted((n, os.getxattr(path, n, follow_symlinks=False)) for n in os.listxattr(path, follow_symlinks=False))
                    names[path] = (oct(s.st_mode), s.st_uid, s.st_gid, s.st_nlink, size, what, attributes)
            for path in sorted(n for n in names if isinstance(n, str) and not n.startswith('./fill')): print(path, names[path])
            """
        return try Tool.run("python3", ["-c", script, point]).text
    }

    /// The kernel's own allocator and directory code on what was written here.
    private static func workOn(_ point: String) throws {
        try Tool.run(
            "sh",
            [
                "-c",
                "cd \"$0\" && for d in $(find . -type d | head -40); do for i in 1 2 3 4 5 6 7 8 9; do "
                    + "head -c 5000 /dev/zero > $d/kernel_made_this_file_$i; done; done 2>/dev/null; sync -f .; "
                    + "find . -name 'kernel_made*' -delete", point,
            ])
    }
}
