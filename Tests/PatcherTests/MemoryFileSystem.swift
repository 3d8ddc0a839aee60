import Storage
import Synchronization
import TestSupport

/// A file system in memory: what the patcher reads in tests. Edits go through `replace`, as a plan's would.
final class MemoryFileSystem: FileSystem {
    enum Node {
        case directory([[UInt8]: FileID])
        case file([UInt8])
        case link([UInt8])
    }

    let identity: VolumeIdentity
    let rootDirectory = FileID(0)
    /// What a plan may count on; everything that a plan does, at first.
    var capabilities: Capabilities {
        get { allowed.withLock { $0 } }
        set { allowed.withLock { $0 = newValue } }
    }
    private let allowed = Mutex(Capabilities(changes: .all, labelByteLimit: 16))
    private let nodes = Mutex<[Node]>([.directory([:])])
    private let damaged = Mutex<Set<FileID>>([])

    init(kind: VolumeIdentity.Kind = .ext3, uuid: String? = nil, label: String? = nil) {
        identity = VolumeIdentity(kind: kind, uuid: uuid, label: label.map { Array($0.utf8) })
    }

    func write(_ path: String, _ bytes: [UInt8]) { add(path, .file(bytes)) }
    func write(_ path: String, _ text: String) { write(path, Array(text.utf8)) }
    func link(_ path: String, to target: String) { add(path, .link(Array(target.utf8))) }
    func makeDirectory(_ path: String) { add(path, .directory([:])) }

    /// What a file or directory holds cannot be read from now on.
    func damage(_ path: String) {
        let parts = path.split(separator: "/").map { Array($0.utf8) }
        let id = nodes.withLock { nodes -> FileID? in
            guard let parent = Self.directory(parts.dropLast(), &nodes), let name = parts.last,
                case .directory(let entries) = nodes[parent]
            else { return nil }
            return entries[name]
        }
        if let id { _ = damaged.withLock { $0.insert(id) } }
    }

    private func check(_ file: FileID) throws(StorageError) {
        guard damaged.withLock({ !$0.contains(file) }) else {
            throw StorageError(.corrupt, layer: "test", code: "damaged", "the chain leads out of the volume")
        }
    }

    func replace(_ id: FileID, _ bytes: [UInt8]) {
        nodes.withLock { $0[Int(id.rawValue)] = .file(bytes) }
    }

    /// Makes a file below a directory, with the directories between; false: the name is taken.
    func create(_ names: [[UInt8]], below directory: FileID, _ bytes: [UInt8]) -> Bool {
        nodes.withLock { nodes in
            var here = Int(directory.rawValue)
            for (index, name) in names.enumerated() {
                guard case .directory(var entries) = nodes[here] else { return false }
                let isLast = index == names.count - 1
                if let next = entries[name] {
                    if isLast { return false }
                    here = Int(next.rawValue)
                    continue
                }
                nodes.append(isLast ? .file(bytes) : .directory([:]))
                entries[name] = FileID(UInt64(nodes.count - 1))
                nodes[here] = .directory(entries)
                here = nodes.count - 1
            }
            return true
        }
    }

    /// Gives a name of a directory another one; false: it is not there, or the other is taken.
    func rename(_ name: [UInt8], in directory: FileID, to newName: [UInt8]) -> Bool {
        nodes.withLock { nodes in
            guard case .directory(var entries) = nodes[Int(directory.rawValue)], let file = entries[name],
                entries[newName] == nil
            else { return false }
            entries[name] = nil
            entries[newName] = file
            nodes[Int(directory.rawValue)] = .directory(entries)
            return true
        }
    }

    func remove(_ path: String) {
        let parts = path.split(separator: "/").map { Array($0.utf8) }
        nodes.withLock { nodes in
            guard let parent = Self.directory(parts.dropLast(), &nodes), let name = parts.last,
                case .directory(var entries) = nodes[parent]
            else { return }
            entries[name] = nil
            nodes[parent] = .directory(entries)
        }
    }

    /// All regular files by path.
    var files: [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        let all = nodes.withLock { $0 }
        func walk(_ id: FileID, _ path: String) {
            switch all[Int(id.rawValue)] {
            case .directory(let entries):
                for (name, child) in entries {
                    walk(child, path + "/" + String(decoding: name, as: UTF8.self))
                }
            case .file(let bytes): found[path] = bytes
            case .link: break
            }
        }
        walk(rootDirectory, "")
        return found
    }

    private func add(_ path: String, _ node: Node) {
        let parts = path.split(separator: "/").map { Array($0.utf8) }
        nodes.withLock { nodes in
            guard let parent = Self.directory(parts.dropLast(), &nodes), let name = parts.last,
                case .directory(var entries) = nodes[parent]
            else { return }
            if case .directory = node, entries[name] != nil { return }
            if let existing = entries[name] {
                nodes[Int(existing.rawValue)] = node
                return
            }
            nodes.append(node)
            entries[name] = FileID(UInt64(nodes.count - 1))
            nodes[parent] = .directory(entries)
        }
    }

    private static func directory(_ parts: some Sequence<[UInt8]>, _ nodes: inout [Node]) -> Int? {
        var here = 0
        for part in parts {
            guard case .directory(var entries) = nodes[here] else { return nil }
            if let next = entries[part] {
                here = Int(next.rawValue)
            } else {
                nodes.append(.directory([:]))
                entries[part] = FileID(UInt64(nodes.count - 1))
                nodes[here] = .directory(entries)
                here = nodes.count - 1
            }
        }
        return here
    }

    private func node(_ id: FileID) -> Node { nodes.withLock { $0[Int(id.rawValue)] } }

    func lookUp(_ name: [UInt8], in directory: FileID) throws(StorageError) -> FileID? {
        guard case .directory(let entries) = node(directory) else { return nil }
        try check(directory)
        return entries[name]
    }

    func forEachEntry(
        of directory: FileID, _ body: (DirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        guard case .directory(let entries) = node(directory) else { return }
        try check(directory)
        for (name, id) in entries {
            guard try body(DirectoryEntry(name: name, file: id, type: nil)) else { return }
        }
    }

    func attributes(of file: FileID) throws(StorageError) -> FileAttributes {
        let (type, size): (FileType, Int) =
            switch node(file) {
            case .directory: (.directory, 0)
            case .file(let bytes): (.regular, bytes.count)
            case .link(let target): (.symbolicLink, target.count)
            }
        let time = Timestamp(seconds: 0)
        return FileAttributes(
            type: type, permissions: 0o644, owner: 0, group: 0, linkCount: 1, size: UInt64(size),
            allocatedByteCount: 0, accessTime: time, modificationTime: time, changeTime: time)
    }

    func read(_ file: FileID, into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError)
        -> Int
    {
        guard case .file(let bytes) = node(file), offset < bytes.count else { return 0 }
        try check(file)
        let count = min(target.byteCount, bytes.count - Int(offset))
        target.copy(bytes.span8.extracting(Int(offset)..<Int(offset) + count), to: 0)
        return count
    }

    func symbolicLinkTarget(of file: FileID) throws(StorageError) -> [UInt8] {
        guard case .link(let target) = node(file) else { return [] }
        return target
    }
}
