import Ext4
import Foundation
import Storage
import TestSupport
import Testing

/// A tree as it should be, and random changes of it.
struct TreeModel {
    enum Node: Equatable {
        case directory
        case file(Int)
        case link([UInt8])
        case node
    }
    /// What hard links share.
    struct File: Equatable {
        var contents: [UInt8]
        var permissions: UInt16 = 0o644
        var attributes: [String: [UInt8]] = [:]
    }

    private var random: SeededRandom
    private let blockSize: Int
    private(set) var tree: [String: Node] = [:]
    private var files: [File] = []
    /// Whether directories move to other directories, too.
    var movesDirectories = true

    init(seed: UInt64, blockSize: Int) {
        random = SeededRandom(seed)
        self.blockSize = blockSize
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
        return ReplaceContentsTests.contents(sizes[pick(0..<sizes.count)])
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

    mutating func step(_ transaction: any FileSystemTransaction, _ root: FileID) throws {
        switch pick(0..<14) {
        case 0, 1, 2: try create(transaction, root)
        case 3: try makeDirectory(transaction, root)
        case 4: try makeLink(transaction, root)
        case 5: try remove(transaction, root)
        case 6, 7: try rename(transaction, root)
        case 8: try rewrite(transaction, root)
        case 9: try setAttribute(transaction, root)
        case 10: try chmod(transaction, root)
        case 11: try write(transaction, root)
        case 12: try punch(transaction, root)
        default: try truncate(transaction, root)
        }
    }

    private mutating func create(_ transaction: any FileSystemTransaction, _ root: FileID) throws {
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
        files.append(File(contents: data, attributes: ["security.selinux": label]))
        tree[path] = .file(files.count - 1)
    }

    private mutating func makeDirectory(_ transaction: any FileSystemTransaction, _ root: FileID) throws {
        let path = newName()
        guard tree[path] == nil else { return }
        let (directory, name) = split(path)
        _ = try transaction.createDirectory(
            name, in: file(directory, transaction, root), attributes: .init(permissions: 0o755))
        tree[path] = .directory
    }

    private mutating func makeLink(_ transaction: any FileSystemTransaction, _ root: FileID) throws {
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

    private mutating func remove(_ transaction: any FileSystemTransaction, _ root: FileID) throws {
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

    private mutating func rename(_ transaction: any FileSystemTransaction, _ root: FileID) throws {
        guard let from = existing({ _ in true }), let node = tree[from] else { return }
        var to = newName()
        if pick(0..<2) == 0, let other = existing({ _ in true }) { to = other }
        let (oldDirectory, oldName) = split(from)
        let (newDirectory, name) = split(to)
        let change = { [self] in
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

    private mutating func rewrite(_ transaction: any FileSystemTransaction, _ root: FileID) throws {
        guard let (path, index) = someFile() else { return }
        files[index].contents = contents()
        try transaction.replaceContents(of: file(path, transaction, root), with: files[index].contents)
    }

    private mutating func truncate(_ transaction: any FileSystemTransaction, _ root: FileID) throws {
        guard let (path, index) = someFile() else { return }
        let size = contents().count + pick(0..<2) * pick(0..<4 * blockSize)
        let old = files[index].contents
        files[index].contents = old.prefix(size) + [UInt8](repeating: 0, count: max(0, size - old.count))
        try transaction.truncate(file(path, transaction, root), to: UInt64(size))
    }

    /// Some bytes anywhere in a file, or behind its end.
    private mutating func write(_ transaction: any FileSystemTransaction, _ root: FileID) throws {
        guard let (path, index) = someFile() else { return }
        let offset = pick(0..<files[index].contents.count + 2 * blockSize)
        let bytes = random.bytes([1, 7, blockSize, 3 * blockSize + 5][pick(0..<4)])
        let padding = max(offset + bytes.count - files[index].contents.count, 0)
        files[index].contents += [UInt8](repeating: 0, count: padding)
        files[index].contents.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        try transaction.write(bytes, to: file(path, transaction, root), at: UInt64(offset))
    }

    /// A hole in a file, perhaps behind its end.
    private mutating func punch(_ transaction: any FileSystemTransaction, _ root: FileID) throws {
        guard let (path, index) = someFile() else { return }
        let size = files[index].contents.count
        let start = pick(0..<size + blockSize)
        let end = start + pick(1..<4 * blockSize)
        for position in min(start, size)..<min(end, size) { files[index].contents[position] = 0 }
        try transaction.punchHole(in: file(path, transaction, root), UInt64(start)..<UInt64(end))
    }

    /// The tree as it was in `other`, going on with other random numbers: for a change that was refused.
    mutating func restore(_ other: TreeModel) {
        tree = other.tree
        files = other.files
    }

    private mutating func setAttribute(_ transaction: any FileSystemTransaction, _ root: FileID) throws {
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

    private mutating func chmod(_ transaction: any FileSystemTransaction, _ root: FileID) throws {
        guard let (path, index) = someFile() else { return }
        files[index].permissions = UInt16(pick(0..<0o1000))
        try transaction.setAttributes(
            of: file(path, transaction, root), .init(permissions: files[index].permissions))
    }

    /// Compares with what this engine reads.
    func check(_ volume: Ext4FileSystem) throws {
        var found: Set<String> = []
        var pending: [(FileID, String)] = [(volume.rootDirectory, "")]
        while let (directory, prefix) = pending.popLast() {
            for entry in try volume.entries(of: directory) {
                let path = prefix + "/" + entry.name.displayText
                if path == "/lost+found" || path == "/.keep" || path.hasPrefix("/fill") { continue }
                found.insert(path)
                #expect(try volume.lookUp(entry.name, in: directory) == entry.file)
                let attributes = try volume.attributes(of: entry.file)
                switch tree[path] {
                case .directory:
                    #expect(attributes.type == .directory)
                    pending.append((entry.file, path))
                case .file(let index):
                    let sharing = tree.values.filter { $0 == .file(index) }.count
                    #expect(attributes.permissions == files[index].permissions)
                    #expect(attributes.linkCount == UInt32(sharing))
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

    /// Compares with what debugfs takes out of the image.
    func check(dumpedBy image: Image) throws {
        let target = image.directory.path("dump")
        try Tool.run("mkdir", ["-p", target])
        try Tool.run("debugfs", ["-R", "rdump / \(target)", image.path])
        try check(treeAt: target)
    }

    /// Compares with a tree on the host.
    func check(treeAt target: String) throws {
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
