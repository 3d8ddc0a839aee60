import FAT
import Storage
import TestSupport

/// Operations of a transaction by path.
struct Editor {
    let transaction: FATTransaction

    func find(_ path: String) throws -> FileID {
        guard let file = try Self.find(path, in: transaction) else {
            throw Failure(description: "\(path) is gone")
        }
        return file
    }

    static func find(_ path: String, in tree: any FileTree) throws -> FileID? {
        var file = tree.rootDirectory
        for name in path.split(separator: "/") {
            guard let next = try tree.lookUp(Array(name.utf8), in: file) else { return nil }
            file = next
        }
        return file
    }

    private func place(_ path: String) throws -> (name: [UInt8], directory: FileID) {
        let parts = path.split(separator: "/")
        return (Array((parts.last ?? "").utf8), try find(parts.dropLast().joined(separator: "/")))
    }

    func create(_ path: String, _ contents: [UInt8], time: Timestamp? = nil) throws {
        let (name, directory) = try place(path)
        _ = try transaction.createFile(
            name, in: directory, contents: contents, attributes: .init(permissions: 0, time: time))
    }

    func makeDirectory(_ path: String) throws {
        let (name, directory) = try place(path)
        _ = try transaction.createDirectory(name, in: directory, attributes: .init(permissions: 0))
    }

    func replace(_ path: String, _ contents: [UInt8]) throws {
        try transaction.replaceContents(of: find(path), with: contents)
    }

    func remove(_ path: String) throws {
        let (name, directory) = try place(path)
        try transaction.remove(name, in: directory)
    }

    func rename(_ path: String, _ to: String) throws {
        let (name, directory) = try place(path)
        let (newName, newDirectory) = try place(to)
        let file = try transaction.rename(name, in: directory, to: newName, in: newDirectory)
        guard try find(to) == file else { throw Failure(description: "\(to) has another key") }
    }
}

extension FATFileSystem {
    /// Changes the volume on a device in one transaction.
    static func change(
        _ device: MemoryDevice, options: Options = Options(), _ body: (Editor) throws -> Void
    ) throws {
        let transaction = try open(device, options: options).begin()
        try body(Editor(transaction: transaction))
        try transaction.prepare().commit()
    }
}

/// The files of a tree by path; directories hold nothing.
func files(of tree: any FileTree) throws -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    var pending: [(FileID, String)] = [(tree.rootDirectory, "")]
    while let (directory, prefix) = pending.popLast() {
        for entry in try tree.entries(of: directory) {
            let path = prefix + "/" + String(decoding: entry.name, as: UTF8.self)
            if entry.type == .directory {
                result[path + "/"] = []
                pending.append((entry.file, path))
            } else {
                result[path] = try tree.contents(of: entry.file)
            }
        }
    }
    return result
}
