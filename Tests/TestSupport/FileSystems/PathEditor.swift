public import Storage

/// A transaction that can do everything.
public typealias EveryChange = ContentsTransaction & RangesTransaction & HolesTransaction & NamesTransaction
    & LinksTransaction & NodesTransaction & AttributesTransaction & ExtendedAttributesTransaction
    & LabelTransaction

/// Operations of a transaction by path.
public struct PathEditor {
    public let transaction: any EveryChange
    let root: FileID

    public init(transaction: any EveryChange, root: FileID) {
        self.transaction = transaction
        self.root = root
    }

    public func find(_ path: String) throws -> FileID {
        var current = root
        for part in path.split(separator: "/") {
            guard let next = try transaction.lookUp(Array(part.utf8), in: current) else {
                throw Failure(description: "\(path) is gone")
            }
            current = next
        }
        return current
    }

    private func place(_ path: String) throws -> (name: [UInt8], directory: FileID) {
        let parts = path.split(separator: "/")
        guard let name = parts.last else { throw Failure(description: "\(path) has no name") }
        return (Array(name.utf8), try find(parts.dropLast().joined(separator: "/")))
    }

    public func create(_ path: String, _ contents: [UInt8], permissions: UInt16 = 0o640) throws {
        let (name, directory) = try place(path)
        _ = try transaction.createFile(
            name, in: directory, contents: contents, attributes: .init(permissions: permissions))
    }

    public func makeDirectory(_ path: String) throws {
        let (name, directory) = try place(path)
        _ = try transaction.createDirectory(name, in: directory, attributes: .init(permissions: 0o750))
    }

    public func makeSymbolicLink(_ path: String, to target: [UInt8]) throws {
        let (name, directory) = try place(path)
        _ = try transaction.createSymbolicLink(
            name, in: directory, target: target, attributes: .init(permissions: 0o777))
    }

    public func makeNode(_ path: String, _ type: FileType, _ device: FileAttributes.DeviceNumber? = nil)
        throws
    {
        let (name, directory) = try place(path)
        _ = try transaction.createNode(
            name, in: directory, type: type, device: device, attributes: .init(permissions: 0o600))
    }

    public func remove(_ path: String) throws {
        let (name, directory) = try place(path)
        try transaction.remove(name, in: directory)
    }

    public func rename(_ from: String, to: String) throws {
        let (name, directory) = try place(from)
        let (newName, newDirectory) = try place(to)
        try transaction.rename(name, in: directory, to: newName, in: newDirectory)
    }

    public func link(_ file: String, as path: String) throws {
        let (name, directory) = try place(path)
        try transaction.link(find(file), as: name, in: directory)
    }

    public func replace(_ path: String, _ contents: [UInt8]) throws {
        try transaction.replaceContents(of: find(path), with: contents)
    }

    public func setAttribute(_ name: String, of path: String, _ value: [UInt8]?) throws {
        try transaction.setExtendedAttribute(Array(name.utf8), of: find(path), to: value)
    }
}
