internal import Foundation

/// A directory that goes with its owner.
public final class TemporaryDirectory: Sendable {
    public let root: String

    public init() throws {
        root = NSTemporaryDirectory() + "/diskgraft-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    public func path(_ name: String) -> String { "\(root)/\(name)" }

    /// Writes a file in it and returns its path.
    @discardableResult
    public func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = path(name)
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

    /// An empty sparse file.
    public func sparse(_ name: String, byteCount: UInt64) throws -> String {
        let path = path(name)
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        guard let handle = FileHandle(forWritingAtPath: path) else { throw Tool.Failed(description: path) }
        try handle.truncate(atOffset: byteCount)
        try handle.close()
        return path
    }
}

/// The whole of a file.
public func fileBytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}
