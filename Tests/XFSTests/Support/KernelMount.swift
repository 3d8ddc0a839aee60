import Foundation
import TestSupport

/// Whether tests may let the kernel mount what they made: asked for by a script under Tests/Scripts.
enum KernelMount {
    private static let environment = ProcessInfo.processInfo.environment
    static let isAskedFor = environment["DISKGRAFT_KERNEL_JUDGE"] == "1"
    /// Every cut over all profiles, not a few.
    static let sweepsAll = environment["DISKGRAFT_CRASH_SWEEP"] == "full"
    static let rounds = Int(environment["DISKGRAFT_SERIES_ROUNDS"] ?? "") ?? 8
    static let steps = Int(environment["DISKGRAFT_SERIES_STEPS"] ?? "") ?? 150

    /// Mounts an image, runs `body` with the place, unmounts it. What the kernel says of XFS meanwhile is returned, apart
    /// from what it says of every mount. Nil when this kernel does not mount such a volume.
    static func mount(_ image: String, at point: String, _ body: () throws -> Void) throws -> String? {
        try Tool.run("mkdir", ["-p", point])
        try Tool.run("dmesg", ["-C"])
        let result = try Tool.run("mount", ["-o", "loop,nouuid", image, point], expect: nil)
        guard result.status == 0 else {
            let said = try Tool.run("dmesg", []).text
            if said.contains("V4") || said.contains("larger than") || said.contains("not supported") {
                return nil
            }
            throw Failure(description: "not mounted: \(result.errorText)\(said)")
        }
        do {
            try body()
        } catch {
            try Tool.run("umount", [point])
            throw error
        }
        try Tool.run("umount", [point])
        let usual = [
            "Mounting V", "Ending clean", "Unmounting", "deprecated", "Starting recovery", "Ending recovery",
        ]
        return try Tool.run("dmesg", []).text.split(separator: "\n").filter { line in
            line.contains("XFS") && !usual.contains { line.contains($0) }
        }.joined(separator: "\n")
    }
}
