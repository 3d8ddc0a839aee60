internal import Foundation

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
}
