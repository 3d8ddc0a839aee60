import Foundation
import TestSupport

/// A made tree in a folder, with the indexes that depmod makes for it.
final class TemporaryFolder {
    let scratch: TemporaryDirectory
    private let directory: String

    init(_ tree: MadeTree) throws {
        scratch = try TemporaryDirectory()
        directory = tree.directory
        for (path, bytes) in tree.files { try scratch.write(String(path.dropFirst()), bytes) }
        try Tool.run("depmod", ["-C", "/dev/null", "-b", scratch.root, MadeTree.release])
    }

    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: scratch.root + directory)
    }
    func bytes(_ name: String) throws -> [UInt8] { try fileBytes("\(scratch.root)\(directory)/\(name)") }
}
