internal import Foundation

/// The sample disks beside the repository, where they are. Tests that need them are skipped with a message where
/// they are not: `.enabled(if: SharedSamples.present, "…")`.
public enum SharedSamples {
    public static let root: String? = {
        let here = URL(fileURLWithPath: #filePath)
        let repository = here.deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        var candidates = [repository.deletingLastPathComponent().appendingPathComponent("shared").path]
        if let named = ProcessInfo.processInfo.environment["DISKGRAFT_SHARED"] {
            candidates.insert(named, at: 0)
        }
        return candidates.first { FileManager.default.fileExists(atPath: $0 + "/samples") }
    }()

    public static var present: Bool { root != nil }
    public static let skipMessage = "the shared samples are not beside the repository"

    public static func path(_ name: String) throws -> String {
        guard let root else { throw Tool.Failed(description: skipMessage) }
        return "\(root)/samples/\(name)"
    }

    /// Decompresses (by the name's end) or copies a sample into `directory` and returns the path there.
    public static func unpack(_ name: String, into directory: TemporaryDirectory) throws -> String {
        let source = try path(name)
        let base = (name as NSString).lastPathComponent
        let programs = ["gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd"]
        let suffix = (base as NSString).pathExtension
        guard let program = programs[suffix] else {
            let target = directory.path(base)
            try Tool.run("cp", ["--sparse=always", "--no-preserve=mode", source, target])
            return target
        }
        let target = directory.path((base as NSString).deletingPathExtension)
        try Tool.run(
            "sh",
            ["-c", "\(program) -dc \"$0\" | dd of=\"$1\" bs=64k conv=sparse status=none", source, target])
        return target
    }
}
