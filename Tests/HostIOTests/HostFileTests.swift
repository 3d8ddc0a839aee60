import Foundation
import HostIO
import Storage
import TestSupport
import Testing

struct HostFileTests {
    @Test func readingPastTheEndIsAnError() throws {
        let directory = try TemporaryDirectory()
        let file = try HostFile.open(try directory.write("f", [1, 2, 3]))
        let error = #expect(throws: StorageError.self) { try file.bytes(at: 2, count: 2) }
        #expect(error?.code == "short-file")
        #expect(throws: StorageError.self) { try file.bytes(at: .max, count: 2) }
    }

    /// A hole to the end is zeros; what was cut off is none.
    @Test func aFileThatWasCutShort() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("file", [UInt8](repeating: 1, count: 1 << 20))
        let file = try HostFile.open(path, access: .read)
        try FileHandle(forWritingAtPath: path)?.truncate(atOffset: 4096)
        let error = #expect(throws: StorageError.self) { _ = try file.nextDataOrHole(at: 8192) }
        #expect(error?.code == "short-file")
        #expect(error?.message.contains("ends at 4096") == true)
        // Asked again it says so again.
        #expect(throws: StorageError.self) { _ = try file.nextDataOrHole(at: 8193) }
    }

    @Test func directoriesDevicesAndLinksAreRefused() throws {
        let directory = try TemporaryDirectory()
        #expect(throws: StorageError.self) { try HostFile.open(directory.root) }
        #expect(throws: StorageError.self) { try HostFile.open("/dev/null") }
        let target = try directory.write("secret", "x")
        try FileManager.default.createSymbolicLink(
            atPath: directory.path("link"), withDestinationPath: target)
        let image = try directory.write("image.vmdk", "x")
        #expect(throws: StorageError.self) { try HostFile.openSibling(of: image, name: "link") }
        for name in ["../secret", "/etc/passwd", "..", ".", "", "a/b"] {
            let error = #expect(throws: StorageError.self) { try HostFile.openSibling(of: image, name: name) }
            #expect(error?.code == "not-a-plain-name")
        }
        #expect(try HostFile.openSibling(of: image, name: "secret").byteCount == 1)
    }
}

struct LockTests {
    @Test func readersShareAndAWriterIsAlone() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("f", [UInt8](repeating: 0, count: 4096))
        do {
            let reader = try HostFile.open(path)
            _ = try HostFile.open(path)
            let error = #expect(throws: StorageError.self) { try HostFile.open(path, access: .write) }
            #expect(error?.code == "locked")
            _ = reader.byteCount
        }
        let writer = try HostFile.open(path, access: .write)
        #expect(throws: StorageError.self) { try HostFile.open(path) }
        #expect(throws: StorageError.self) { try HostFile.open(path, access: .write) }
        _ = try HostFile.open(path, locking: .ignore)
        _ = writer.byteCount
    }

    /// The kernel heeds no locks, so what it has attached or mounted is looked for.
    @Test(.enabled(if: LoopDevices.areThere, "needs root and loop devices"))
    func whatTheHostHasMountedIsNotWritten() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("disk.img", byteCount: 8 << 20)
        try Tool.run("mke2fs", ["-q", "-F", path])
        let device = try Tool.run("losetup", ["-f", "--show", path]).text.filter { $0 != "\n" }
        defer { _ = try? Tool.run("losetup", ["-d", device]) }
        let error = #expect(throws: StorageError.self) { try HostFile.open(path, access: .write) }
        #expect(error?.code == "mounted" && error?.message.contains(device) == true)
        _ = try HostFile.open(path, access: .write, locking: .ignore)
        // A reader would see what is written meanwhile in part.
        let torn = #expect(throws: StorageError.self) { try HostFile.open(path) }
        #expect(torn?.code == "mounted" && torn?.remedies == [.ignoreLocks])
        _ = try HostFile.open(path, locking: .ignore)
        // The device itself may be written until it is mounted.
        _ = try HostFile.open(device, access: .write)
        let point = directory.path("mnt")
        try Tool.run("mkdir", [point])
        try Tool.run("mount", [device, point])
        defer { _ = try? Tool.run("umount", [point]) }
        let mounted = #expect(throws: StorageError.self) { try HostFile.open(device, access: .write) }
        #expect(mounted?.code == "mounted" && mounted?.message.contains("/mnt;") == true)
        let read = #expect(throws: StorageError.self) { try HostFile.open(device) }
        #expect(read?.code == "mounted" && read?.remedies == [.ignoreLocks])
        try Tool.run("mount", ["-o", "remount,ro", point])
        _ = try HostFile.open(device)
    }

    @Test(.enabled(if: LoopDevices.areThere, "needs root and loop devices"))
    func whatIsAttachedForReadingIsRead() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("disk.img", byteCount: 8 << 20)
        let device = try Tool.run("losetup", ["-r", "-f", "--show", path]).text.filter { $0 != "\n" }
        defer { _ = try? Tool.run("losetup", ["-d", device]) }
        _ = try HostFile.open(path)
    }

    /// Nor where the path that it was attached by leads nowhere any more: it was renamed, or lay below a mount that is gone.
    @Test(.enabled(if: LoopDevices.areThere, "needs root and loop devices"), arguments: [false, true])
    func whatIsAttachedByALostPathIsNotWritten(_ isRenamed: Bool) throws {
        let directory = try TemporaryDirectory()
        try Tool.run("mkdir", [directory.path("images")])
        var path = try directory.sparse("images/disk.img", byteCount: 8 << 20)
        let bound = directory.path("bound")
        try Tool.run("mkdir", [bound])
        try Tool.run("mount", ["--bind", directory.path("images"), bound])
        let device = try Tool.run("losetup", ["-f", "--show", bound + "/disk.img"]).text.filter { $0 != "\n" }
        defer { _ = try? Tool.run("losetup", ["-d", device]) }
        try Tool.run("umount", ["-l", bound])
        if isRenamed {
            try FileManager.default.moveItem(atPath: path, toPath: directory.path("images/other.img"))
            path = directory.path("images/other.img")
        }
        let error = #expect(throws: StorageError.self) { try HostFile.open(path, access: .write) }
        #expect(error?.code == "mounted" && error?.message.contains(device) == true)
    }

    /// Neither is what lies under a device in use.
    @Test(.enabled(if: LoopDevices.areThere, "needs root and loop devices"))
    func whatIsUnderAMountedDeviceIsNotWritten() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("disk.img", byteCount: 8 << 20)
        let lower = try Tool.run("losetup", ["-f", "--show", path]).text.filter { $0 != "\n" }
        defer { _ = try? Tool.run("losetup", ["-d", lower]) }
        let upper = try Tool.run("losetup", ["-f", "--show", lower]).text.filter { $0 != "\n" }
        defer { _ = try? Tool.run("losetup", ["-d", upper]) }
        let error = #expect(throws: StorageError.self) { try HostFile.open(lower, access: .write) }
        #expect(error?.code == "mounted" && error?.message.contains(upper) == true)
    }

    /// VMware's own lock is a folder beside the disk.
    @Test func aLockFolderOfVMwareIsALock() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("disk.vmdk", [UInt8](repeating: 0, count: 4096))
        let link = directory.path("link.vmdk")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        // An empty one locks nothing.
        try FileManager.default.createDirectory(atPath: path + ".lck", withIntermediateDirectories: true)
        _ = try HostFile.open(path, access: .write)
        let lock = try directory.write("disk.vmdk.lck/M12345.lck", [UInt8](repeating: 0, count: 512))
        for name in [path, link] {
            for access in [FileAccess.read, .write] {
                let error = #expect(throws: StorageError.self) { try HostFile.open(name, access: access) }
                #expect(error?.code == "locked" && error?.message.contains("disk.vmdk.lck") == true)
            }
        }
        _ = try HostFile.open(path, locking: .ignore)
        try FileManager.default.removeItem(atPath: lock)
        _ = try HostFile.open(link, access: .write)
    }

    @Test(.enabled(if: Tool.has("qemu-io"), "qemu-io is not installed"))
    func qemuAndThisEngineRespectEachOther() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("disk.img", byteCount: 1 << 20)
        let write = ["-f", "raw", "-c", "write 0 512", path]
        let read = ["-r", "-f", "raw", "-c", "read 0 512", path]
        do {
            let reader = try HostFile.open(path)
            #expect(try Tool.run("qemu-io", read, expect: nil).status == 0)
            #expect(try Tool.run("qemu-io", write, expect: nil).status != 0)
            _ = reader.byteCount
        }
        do {
            let writer = try HostFile.open(path, access: .write)
            #expect(try Tool.run("qemu-io", read, expect: nil).status != 0)
            _ = writer.byteCount
        }
        // A qemu that writes keeps both our readers and our writers out.
        let process = Process()
        let pipe = Pipe()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: Tool.path("qemu-io") ?? "")
        process.arguments = ["-f", "raw", path]
        process.standardInput = pipe
        process.standardOutput = output
        try process.run()
        pipe.fileHandleForWriting.write(Data("write -P 1 0 512\n".utf8))
        // The answer proves that the image is open.
        _ = output.fileHandleForReading.availableData
        let error = #expect(throws: StorageError.self) { try HostFile.open(path) }
        #expect(error?.code == "locked")
        #expect(throws: StorageError.self) { try HostFile.open(path, access: .write) }
        _ = try HostFile.open(path, locking: .ignore)
        try pipe.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
