import Foundation
import TestSupport
import Testing

/// A device that is mounted where this program does not see it, in another mount namespace: a container's, a service's.
@Suite(
    .serialized,
    .enabled(
        if: LoopDevices.areThere && Tool.has("unshare", "umount"), "needs root, loop devices and unshare"))
struct MountedElsewhereTests {
    /// An ext4 on a loop device, mounted; commands run in a namespace that has given the mount up.
    private struct Mounted {
        let directory: TemporaryDirectory
        let device: String
        let point: String

        init(_ options: String) throws {
            directory = try TemporaryDirectory()
            let image = try directory.sparse("disk.img", byteCount: 16 << 20)
            try Tool.run("mke2fs", ["-q", "-F", "-t", "ext4", image])
            device = try LoopDevices.attach(image)
            point = directory.path("mnt")
            try Tool.run("mkdir", [point])
            try Tool.run("mount", ["-o", options, device, point])
        }

        func end() {
            _ = try? Tool.run("umount", [point])
            _ = try? Tool.run("losetup", ["-d", device])
        }

        func elsewhere(_ words: [String]) throws -> Tool.Result {
            try Tool.run(
                "unshare",
                ["-m", "sh", "-c", "umount \"$0\" && exec \"$@\"", point, Fixture.command] + words,
                directory: directory.root, expect: nil)
        }
    }

    @Test func readingNeedsToBeAskedFor() throws {
        let mounted = try Mounted("rw")
        defer { mounted.end() }
        let device = mounted.device
        for words in [
            ["ls", "--volume", "disk", device, "/"], ["check", device], ["info", device],
            ["convert", "-O", "raw", device, "out.img"], ["tar", "--volume", "disk", device, "/"],
        ] {
            let refused = try mounted.elsewhere(words)
            #expect(
                (1...2).contains(refused.status) && refused.output.isEmpty, "\(words): \(refused.errorText)")
            #expect(refused.errorText.contains("another mount namespace"), "\(words): \(refused.errorText)")
            #expect(refused.errorText.contains("-U"), "\(words): \(refused.errorText)")
            #expect(try mounted.elsewhere(words + ["-U"]).status == 0, "\(words)")
        }
        let label = ["label", "--volume", "disk", device, "x", "--undo-dir", mounted.directory.root]
        let refused = try mounted.elsewhere(label)
        #expect(refused.status == 2 && refused.errorText.contains("another mount namespace"))
    }

    /// What nobody writes is read here as where it is mounted in one's own namespace, and what is not mounted.
    @Test func whatNobodyWritesIsRead() throws {
        let mounted = try Mounted("ro")
        defer { mounted.end() }
        try Fixture.diskgraft("ls", "--volume", "disk", mounted.device, "/")
        try Tool.run("umount", [mounted.point])
        try Fixture.diskgraft("ls", "--volume", "disk", mounted.device, "/")
    }
}

/// Where no undo record can be written nothing is changed, and the sentence says why.
struct RecordPlaceTests {
    @Test(.enabled(if: Tool.has("setpriv", "mke2fs"), "setpriv or mke2fs is missing"))
    func aFolderThatMayOnlyBeRead() throws {
        let directory = try TemporaryDirectory()
        let folder = directory.path("ro")
        try Tool.run("mkdir", [folder])
        let image = try directory.sparse("ro/disk.img", byteCount: 16 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-t", "ext4", image])
        let before = try fileBytes(image)
        try Tool.run("chmod", ["666", image])
        try Tool.run("chmod", ["555", folder])
        try Tool.run("chmod", ["755", directory.root])
        defer { _ = try? Tool.run("chmod", ["755", folder]) }
        let command = [Fixture.command, "label", "--volume", "disk", image, "x"]
        let drop = ["--reuid=65534", "--regid=65534", "--clear-groups"]
        // Nobody may come as far as here on some hosts.
        if getuid() == 0 {
            let reach = ["test", "-w", image, "-a", "-x", Fixture.command]
            guard try Tool.run("setpriv", drop + reach, expect: nil).status == 0 else { return }
        }
        let refused =
            getuid() == 0
            ? try Tool.run("setpriv", drop + command, expect: 1...1)
            : try Tool.run(command[0], Array(command.dropFirst()), expect: 1...1)
        let text = refused.errorText
        #expect(text.contains("takes it back") && text.contains("make that folder writable"), "\(text)")
        #expect(text.contains(folder) && !text.contains(".partial"), "\(text)")
        #expect(try fileBytes(image) == before)
    }

    @Test(.enabled(if: LoopDevices.areThere, "needs root and loop devices"))
    func aFolderOfDevicesThatIsNotThere() throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("disk.img", byteCount: 16 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-t", "ext4", image])
        let device = try LoopDevices.attach(image)
        defer { _ = try? Tool.run("losetup", ["-d", device]) }
        let refused = try Fixture.diskgraft(
            "label", "--volume", "disk", device, "x", "--undo-dir", directory.path("none"), expect: 1...1)
        #expect(refused.errorText.contains("may be written to"), "\(refused.errorText)")
        #expect(refused.errorText.contains("--undo-dir names"), "\(refused.errorText)")
    }
}
