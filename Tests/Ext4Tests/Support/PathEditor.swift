import Storage
import Testing

/// Operations of a transaction by path.
struct PathEditor {
    let transaction: any FileSystemTransaction
    let root: FileID

    func find(_ path: String) throws -> FileID {
        var current = root
        for part in path.split(separator: "/") {
            current = try #require(try transaction.lookUp(Array(part.utf8), in: current), "\(path)")
        }
        return current
    }

    private func place(_ path: String) throws -> (name: [UInt8], directory: FileID) {
        let parts = path.split(separator: "/")
        let name = try #require(parts.last)
        return (Array(name.utf8), try find(parts.dropLast().joined(separator: "/")))
    }

    func create(_ path: String, _ contents: [UInt8], permissions: UInt16 = 0o640) throws {
        let (name, directory) = try place(path)
        _ = try transaction.createFile(
            name, in: directory, contents: contents, attributes: .init(permissions: permissions))
    }

    func makeDirectory(_ path: String) throws {
        let (name, directory) = try place(path)
        _ = try transaction.createDirectory(name, in: directory, attributes: .init(permissions: 0o750))
    }

    func makeSymbolicLink(_ path: String, to target: [UInt8]) throws {
        let (name, directory) = try place(path)
        _ = try transaction.createSymbolicLink(
            name, in: directory, target: target, attributes: .init(permissions: 0o777))
    }

    func makeNode(_ path: String, _ type: FileType, _ device: FileAttributes.DeviceNumber? = nil) throws {
        let (name, directory) = try place(path)
        _ = try transaction.createNode(
            name, in: directory, type: type, device: device, attributes: .init(permissions: 0o600))
    }

    func remove(_ path: String) throws {
        let (name, directory) = try place(path)
        try transaction.remove(name, in: directory)
    }

    func rename(_ from: String, to: String) throws {
        let (name, directory) = try place(from)
        let (newName, newDirectory) = try place(to)
        try transaction.rename(name, in: directory, to: newName, in: newDirectory)
    }

    func link(_ file: String, as path: String) throws {
        let (name, directory) = try place(path)
        try transaction.link(find(file), as: name, in: directory)
    }

    func replace(_ path: String, _ contents: [UInt8]) throws {
        try transaction.replaceContents(of: find(path), with: contents)
    }

    func setAttribute(_ name: String, of path: String, _ value: [UInt8]?) throws {
        try transaction.setExtendedAttribute(Array(name.utf8), of: find(path), to: value)
    }
}
