internal import Foundation
public import Storage
internal import Testing

/// A tree as it should be, and random changes of it: those that a file system can do.
public struct TreeModel: Sendable {
    enum Node: Equatable, Sendable {
        case directory
        case file(Int)
        case link([UInt8])
        case node
    }
    /// What hard links share.
    struct File: Equatable, Sendable {
        var contents: [UInt8]
        var permissions: UInt16 = 0o644
        var attributes: [String: [UInt8]] = [:]
    }

    private var random: SeededRandom
    private let blockSize: Int
    private let capabilities: Capabilities
    private(set) var tree: [String: Node] = [:]
    private var files: [File] = []
    /// Whether directories move to other directories, too.
    public var movesDirectories = true
    /// Paths that are not the model's.
    public var isForeign: @Sendable (String) -> Bool = {
        $0 == "/lost+found" || $0 == "/.keep" || $0.hasPrefix("/fill")
    }

    /// An empty tree in blocks of that size.
    public init(
        seed: UInt64, blockSize: Int,
        capabilities: Capabilities = Capabilities(changes: .all, settableAttributes: .posix)
    ) {
        random = SeededRandom(seed)
        self.blockSize = blockSize
        self.capabilities = capabilities
    }

    /// Takes note of what is there already: files with these contents, and the directories that hold them.
    public mutating func adopt(_ contents: [String: [UInt8]], permissions: UInt16 = 0o644) {
        for (path, bytes) in contents.sorted(by: { $0.key < $1.key }) {
            var directory = ""
            for name in path.split(separator: "/").dropLast() {
                directory += "/" + name
                tree[directory] = .directory
            }
            files.append(File(contents: bytes, permissions: permissions))
            tree["/" + path] = .file(files.count - 1)
        }
    }

    private mutating func pick(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

    private mutating func existing(_ matches: (Node) -> Bool) -> String? {
        tree.filter { matches($0.value) }.keys.sorted().randomElement(using: &random)
    }

    private mutating func directory() -> String {
        pick(0..<3) == 0 ? "" : existing { $0 == .directory } ?? ""
    }

    private mutating func newName() -> String {
        let name = "n\(pick(0..<100_000))" + String(repeating: "x", count: pick(0..<2) * pick(0..<200))
        return directory() + "/" + name
    }

    private mutating func contents() -> [UInt8] {
        let sizes = [
            0, 1, 59, 60, 61, 150, blockSize - 1, blockSize, blockSize + 1, 3 * blockSize, 15 * blockSize + 7,
        ]
        return Self.contents(sizes[pick(0..<sizes.count)])
    }

    /// Bytes that tell their place and their number.
    public static func contents(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 % 251 + count) }
    }

    private func split(_ path: String) -> (directory: String, name: [UInt8]) {
        let name = path.split(separator: "/").last ?? ""
        return (String(path.dropLast(name.count + 1)), Array(name.utf8))
    }

    private func file(_ path: String, _ transaction: any FileSystemTransaction, _ root: FileID) throws
        -> FileID
    {
        var file = root
        for name in path.split(separator: "/") {
            guard let next = try transaction.lookUp(Array(name.utf8), in: file) else {
                throw Failure(description: "\(path) is gone")
            }
            file = next
        }
        return file
    }

    /// One random change; none when the file system cannot do the one drawn.
    public mutating func step(_ transaction: any FileSystemTransaction, _ root: FileID) throws {
        let drawn = pick(0..<14)
        switch drawn {
        case 0...3, 5...7:
            guard let transaction = transaction as? any NamesTransaction else { return }
            switch drawn {
            case 3: try makeDirectory(transaction, root)
            case 5: try remove(transaction, root)
            case 6, 7: try rename(transaction, root)
            default: try create(transaction, root)
            }
        case 4:
            guard let transaction = transaction as? any LinksTransaction & NodesTransaction else { return }
            try makeLink(transaction, root)
        case 8:
            guard let transaction = transaction as? any ContentsTransaction else { return }
            try rewrite(transaction, root)
        case 9:
            guard let transaction = transaction as? any ExtendedAttributesTransaction else { return }
            try setAttribute(transaction, root)
        case 10:
            guard let transaction = transaction as? any AttributesTransaction,
                capabilities.settableAttributes.contains(.permissions)
            else { return }
            try chmod(transaction, root)
        case 11:
            guard let transaction = transaction as? any RangesTransaction else { return }
            try write(transaction, root)
        case 12:
            guard let transaction = transaction as? any HolesTransaction else { return }
            try punch(transaction, root)
        default:
            guard let transaction = transaction as? any RangesTransaction else { return }
            try truncate(transaction, root)
        }
    }

    private mutating func create(_ transaction: any NamesTransaction, _ root: FileID) throws {
        let path = newName()
        guard tree[path] == nil else { return }
        let (directory, name) = split(path)
        let data = contents()
        let label = Array("system_u:object_r:etc_t:s0\0".utf8)
        _ = try transaction.createFile(
            name, in: file(directory, transaction, root), contents: data,
            attributes: .init(
                permissions: 0o644, owner: 70000, group: 5,
                extendedAttributes: [.init(name: Array("security.selinux".utf8), value: label)]))
        let attributes = capabilities.allows(.extendedAttributes) ? ["security.selinux": label] : [:]
        files.append(File(contents: data, attributes: attributes))
        tree[path] = .file(files.count - 1)
    }

    private mutating func makeDirectory(_ transaction: any NamesTransaction, _ root: FileID) throws {
        let path = newName()
        guard tree[path] == nil else { return }
        let (directory, name) = split(path)
        _ = try transaction.createDirectory(
            name, in: file(directory, transaction, root), attributes: .init(permissions: 0o755))
        tree[path] = .directory
    }

    private mutating func makeLink(_ transaction: any LinksTransaction & NodesTransaction, _ root: FileID)
        throws
    {
        let path = newName()
        guard tree[path] == nil else { return }
        let (directory, name) = split(path)
        let parent = try file(directory, transaction, root)
        switch pick(0..<3) {
        case 0:
            let target = Array(repeating: UInt8(ascii: "t"), count: [1, 59, 60, 500][pick(0..<4)])
            _ = try transaction.createSymbolicLink(
                name, in: parent, target: target, attributes: .init(permissions: 0o777))
            tree[path] = .link(target)
        case 1:
            guard let old = existing({ if case .file = $0 { true } else { false } }) else { return }
            try transaction.link(file(old, transaction, root), as: name, in: parent)
            tree[path] = tree[old]
        default:
            _ = try transaction.createNode(
                name, in: parent, type: .blockDevice, device: .init(major: 259, minor: 70_000),
                attributes: .init(permissions: 0o660))
            tree[path] = .node
        }
    }

    private func hasChildren(_ path: String) -> Bool { tree.keys.contains { $0.hasPrefix(path + "/") } }

    private mutating func remove(_ transaction: any NamesTransaction, _ root: FileID) throws {
        guard let path = existing({ _ in true }) else { return }
        let (directory, name) = split(path)
        let parent = try file(directory, transaction, root)
        if hasChildren(path) {
            #expect(throws: StorageError.self) { try transaction.remove(name, in: parent) }
            return
        }
        try transaction.remove(name, in: parent)
        tree[path] = nil
    }

    private mutating func rename(_ transaction: any NamesTransaction, _ root: FileID) throws {
        guard let from = existing({ _ in true }), let node = tree[from] else { return }
        var to = newName()
        if pick(0..<2) == 0, let other = existing({ _ in true }) { to = other }
        let (oldDirectory, oldName) = split(from)
        let (newDirectory, name) = split(to)
        let change: () throws -> Void = { [self] in
            try transaction.rename(
                oldName, in: file(oldDirectory, transaction, root), to: name,
                in: file(newDirectory, transaction, root))
        }
        let replaced = tree[to]
        let isAllowed =
            !(to + "/").hasPrefix(from + "/")
            && (replaced == nil || (replaced == .directory) == (node == .directory) && !hasChildren(to))
        if from == to { return }
        if !movesDirectories, node == .directory, oldDirectory != newDirectory { return }
        if case .file(let index) = node, replaced == .file(index) { return try change() }
        guard isAllowed else {
            #expect(throws: StorageError.self) { try change() }
            return
        }
        try change()
        for (path, moved) in tree where path == from || path.hasPrefix(from + "/") {
            tree[path] = nil
            tree[to + path.dropFirst(from.count)] = moved
        }
    }

    private mutating func someFile() -> (path: String, index: Int)? {
        guard let path = existing({ if case .file = $0 { true } else { false } }),
            case .file(let index) = tree[path]
        else { return nil }
        return (path, index)
    }

    private mutating func rewrite(_ transaction: any ContentsTransaction, _ root: FileID) throws {
        guard let (path, index) = someFile() else { return }
        files[index].contents = contents()
        try transaction.replaceContents(of: file(path, transaction, root), with: files[index].contents)
    }

    private mutating func truncate(_ transaction: any RangesTransaction, _ root: FileID) throws {
        guard let (path, index) = someFile() else { return }
        let size = contents().count + pick(0..<2) * pick(0..<4 * blockSize)
        let old = files[index].contents
        files[index].contents = old.prefix(size) + [UInt8](repeating: 0, count: max(0, size - old.count))
        try transaction.truncate(file(path, transaction, root), to: UInt64(size))
    }

    /// Some bytes anywhere in a file, or behind its end.
    private mutating func write(_ transaction: any RangesTransaction, _ root: FileID) throws {
        guard let (path, index) = someFile() else { return }
        let offset = pick(0..<files[index].contents.count + 2 * blockSize)
        let bytes = random.bytes([1, 7, blockSize, 3 * blockSize + 5][pick(0..<4)])
        let padding = max(offset + bytes.count - files[index].contents.count, 0)
        files[index].contents += [UInt8](repeating: 0, count: padding)
        files[index].contents.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        try transaction.write(bytes, to: file(path, transaction, root), at: UInt64(offset))
    }

    /// A hole in a file, perhaps behind its end.
    private mutating func punch(_ transaction: any HolesTransaction, _ root: FileID) throws {
        guard let (path, index) = someFile() else { return }
        let size = files[index].contents.count
        let start = pick(0..<size + blockSize)
        let end = start + pick(1..<4 * blockSize)
        for position in min(start, size)..<min(end, size) { files[index].contents[position] = 0 }
        try transaction.punchHole(in: file(path, transaction, root), UInt64(start)..<UInt64(end))
    }

    /// The tree as it was in `other`, going on with other random numbers: for a change that was refused.
    public mutating func restore(_ other: TreeModel) {
        tree = other.tree
        files = other.files
    }

    private mutating func setAttribute(_ transaction: any ExtendedAttributesTransaction, _ root: FileID)
        throws
    {
        guard let (path, index) = someFile() else { return }
        let name = ["user.a", "user.long_name", "trusted.t", "security.other"][pick(0..<4)]
        let file = try file(path, transaction, root)
        if files[index].attributes[name] != nil, pick(0..<3) == 0 {
            files[index].attributes[name] = nil
            try transaction.setExtendedAttribute(Array(name.utf8), of: file, to: nil)
        } else {
            let value = random.bytes([0, 1, 20, 90, 200][pick(0..<5)])
            files[index].attributes[name] = value
            try transaction.setExtendedAttribute(Array(name.utf8), of: file, to: value)
        }
    }

    private mutating func chmod(_ transaction: any AttributesTransaction, _ root: FileID) throws {
        guard let (path, index) = someFile() else { return }
        files[index].permissions = UInt16(pick(0..<0o1000))
        try transaction.setAttributes(
            of: file(path, transaction, root), .init(permissions: files[index].permissions))
    }

    /// Compares with what this engine reads, of a file system or within a transaction.
    public func check(_ volume: any FileTree) throws {
        var found: Set<String> = []
        var pending: [(FileID, String)] = [(volume.rootDirectory, "")]
        while let (directory, prefix) = pending.popLast() {
            for entry in try volume.entries(of: directory) {
                let path = prefix + "/" + entry.name.displayText
                if isForeign(path) { continue }
                found.insert(path)
                #expect(try volume.lookUp(entry.name, in: directory) == entry.file)
                let attributes = try volume.attributes(of: entry.file)
                switch tree[path] {
                case .directory:
                    #expect(attributes.type == .directory)
                    pending.append((entry.file, path))
                case .file(let index):
                    let sharing = tree.values.filter { $0 == .file(index) }.count
                    if capabilities.settableAttributes.contains(.permissions) {
                        #expect(attributes.permissions == files[index].permissions)
                    }
                    #expect(attributes.linkCount == UInt32(sharing))
                    #expect(attributes.size == UInt64(files[index].contents.count))
                    let isEqual = try volume.contents(of: entry.file) == files[index].contents
                    #expect(isEqual, "\(path)")
                    let values = try volume.extendedAttributes(of: entry.file)
                    #expect(
                        Dictionary(uniqueKeysWithValues: values.map { ($0.name.displayText, $0.value) })
                            == files[index].attributes)
                case .link(let target): #expect(try volume.symbolicLinkTarget(of: entry.file) == target)
                case .node:
                    #expect(attributes.type == .blockDevice)
                    #expect(attributes.deviceNumber == .init(major: 259, minor: 70_000))
                case nil: Issue.record("\(path) should not be there")
                }
            }
        }
        #expect(found == Set(tree.keys))
    }

    /// Compares with a tree on the host.
    public func check(treeAt target: String) throws {
        for (path, node) in tree {
            switch node {
            case .file(let index):
                let found = try fileBytes(target + path)
                // debugfs shows all 60 bytes of i_block, however short an inline file is.
                let isEqual = found.prefix(files[index].contents.count) == files[index].contents[...]
                #expect(isEqual && found.count <= max(files[index].contents.count, 60), "\(path)")
            case .link(let link):
                #expect(
                    try FileManager.default.destinationOfSymbolicLink(atPath: target + path)
                        == String(decoding: link, as: UTF8.self))
            case .directory: #expect(FileManager.default.fileExists(atPath: target + path))
            case .node: break
            }
        }
    }
}
