internal import Foundation
internal import Synchronization

/// Whether tests may attach and mount what they made.
package enum LoopDevices {
    /// Asked once.
    package static let areThere: Bool = {
        guard getuid() == 0, Tool.has("losetup", "mke2fs", "mount"),
            ProcessInfo.processInfo.environment["DISKGRAFT_NO_MOUNTS"] == nil
        else { return false }
        let command = "truncate -s 1M \"$0\" && losetup -d \"$(losetup -f --show \"$0\")\""
        guard let directory = try? TemporaryDirectory() else { return false }
        return (try? Tool.run("sh", ["-c", command, directory.path("probe")])) != nil
    }()

    private static let count = Mutex(0)

    /// A device's name that nobody gets who asks for the first free one: it may be attached again and again.
    package static func name() throws -> String {
        let next = count.withLock { count in
            count += 1
            return count
        }
        let number = 1000 + Int(getpid()) % 16 * 64 + next
        let path = "/dev/loop\(number)"
        if !FileManager.default.fileExists(atPath: path) {
            try Tool.run("mknod", ["-m", "600", path, "b", "7", String(number)])
        }
        return path
    }

    /// Attaches a file to such a device, and returns its name.
    package static func attach(_ path: String) throws -> String {
        let name = try name()
        try Tool.run("losetup", [name, path])
        return name
    }
}
