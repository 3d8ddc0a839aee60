internal import Foundation

/// An ext file system inside a raw image, as debugfs sees it: the judge that is not our own reader.
public struct Debugfs {
    private let target: String

    /// The file system that begins at byte `offset` of `image`.
    public init(_ image: String, offset: UInt64 = 0) {
        target = offset == 0 ? image : "\(image)?offset=\(offset)"
    }

    /// What a file is, apart from where its blocks lie.
    public struct File: Equatable, Sendable {
        public var mode: String
        public var owner: String
        public var links: String
        public var size: String
        public var mtime: String
        public var ctime: String
        public var attributes: [String]
        public var contents: [UInt8]?
    }

    public func run(_ command: String) throws -> Tool.Result {
        try Tool.run("debugfs", ["-R", command, target])
    }

    /// The contents of a regular file.
    public func cat(_ path: String) throws -> String { try run("cat \"\(path)\"").text }

    /// Every file by path. Contents of regular files up to 1 MiB are included.
    public func tree() throws -> [String: File] {
        var result: [String: File] = [:]
        var pending = ["/"]
        while let directory = pending.popLast() {
            for line in try run("ls -p \"\(directory)\"").text.split(separator: "\n") {
                let fields = line.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
                guard fields.count >= 6, fields[5] != ".", fields[5] != "..", fields[1] != "0" else {
                    continue
                }
                let path = directory == "/" ? "/" + fields[5] : directory + "/" + fields[5]
                let isDirectory = fields[2].hasPrefix("04")
                result[path] = try file(path, isRegular: fields[2].hasPrefix("10"))
                if isDirectory { pending.append(path) }
            }
        }
        return result
    }

    private func file(_ path: String, isRegular: Bool) throws -> File {
        let lines = try run("stat \"\(path)\"").text.split(separator: "\n").map(String.init)
        func after(_ key: String) -> String {
            for line in lines {
                guard let range = line.range(of: key) else { continue }
                let rest = line[range.upperBound...].drop { $0 == " " }
                return String(rest.prefix { $0 != " " })
            }
            return ""
        }
        let attributes = lines.drop { !$0.hasPrefix("Extended attributes:") }.dropFirst().prefix {
            $0.hasPrefix("  ")
        }
        let size = after("Size:")
        return File(
            mode: after("Mode:"), owner: after("User:") + ":" + after("Group:"), links: after("Links:"),
            size: size,
            mtime: after("mtime:"), ctime: after("ctime:"), attributes: attributes.sorted(),
            contents: isRegular && (Int(size) ?? 0) <= 1 << 20 ? try run("cat \"\(path)\"").output : nil)
    }

    /// e2fsck -fn: the status must be 0.
    public func check() throws { try Tool.run("e2fsck", ["-fn", target]) }
}
