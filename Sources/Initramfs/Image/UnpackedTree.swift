internal import Storage

/// The tree that entries come to, by the rules of Linux's init/initramfs.c.
struct UnpackedTree: Sendable {
    struct Node: Sendable {
        var entry: Int?
        var type: FileType
        var permissions: UInt16
        var childCount = 0
        /// Regular files: which contents it has. Names of one file have the same.
        var contents: Int?
        var target: [UInt8]?
    }

    private(set) var nodes: [[UInt8]: Node]
    /// How long the contents of each number are.
    private(set) var sizes: [UInt64] = []
    /// How many steps over links adding took so far.
    private(set) var walked = 0
    /// As Linux has it.
    private static let linkLimit = 40
    /// Of one path, links included; none of a guest comes near it.
    private static let stepLimit = 256

    init() {
        // What the archive that is part of every kernel makes (usr/default_cpio_list).
        nodes = [
            []: Node(type: .directory, permissions: 0o755, childCount: 2),
            Array("dev".utf8): Node(type: .directory, permissions: 0o755, childCount: 1),
            Array("dev/console".utf8): Node(type: .characterDevice, permissions: 0o600),
            Array("root".utf8): Node(type: .directory, permissions: 0o700),
        ]
    }

    /// The path with every link in it resolved, of the last step too if `followsLast`; nil where that leads nowhere. Only
    /// the last step may be missing.
    func resolve(_ path: [UInt8], followsLast: Bool) -> [UInt8]? {
        var walked = 0
        return resolve(path, followsLast: followsLast, walked: &walked)
    }

    /// The same, which adds to `walked` what it took.
    private func resolve(_ path: [UInt8], followsLast: Bool, walked: inout Int) -> [UInt8]? {
        // Keys are resolved: what lies in a directory of that name is there by that name.
        let (parent, _) = EntryName.split(path)
        if !path.isEmpty, nodes[parent]?.type == .directory, !followsLast || nodes[path]?.target == nil {
            return path
        }
        var links = 0
        let end = walked + Self.stepLimit
        var place: [UInt8] = []
        var rest = path.split(separator: UInt8(ascii: "/")).map(Array.init)[...]
        while let step = rest.popFirst() {
            walked += 1
            guard walked <= end else { return nil }
            if step == Array(".".utf8) { continue }
            if step == Array("..".utf8) {
                place = EntryName.split(place).parent
                continue
            }
            guard nodes[place]?.type == .directory else { return nil }
            let next = EntryName.join(place, step)
            guard let node = nodes[next] else {
                return rest.isEmpty ? next : nil
            }
            guard let target = node.target, followsLast || !rest.isEmpty else {
                place = next
                continue
            }
            links += 1
            let steps = target.split(separator: UInt8(ascii: "/")).map(Array.init)
            walked += steps.count
            guard links <= Self.linkLimit, walked <= end else { return nil }
            if target.first == UInt8(ascii: "/") { place = [] }
            rest = steps + rest
        }
        return place
    }

    /// Takes away what lies at `path`, so that something of another type can be there; false for a directory that is
    /// not empty.
    private mutating func clear(_ path: [UInt8], unless type: FileType?) -> Bool {
        guard let node = nodes[path], node.type != type else { return true }
        guard node.childCount == 0 else { return false }
        nodes[path] = nil
        nodes[EntryName.split(path).parent]?.childCount -= 1
        return true
    }

    private mutating func put(_ node: Node, at path: [UInt8]) {
        var node = node
        if let old = nodes[path] {
            node.childCount = old.childCount
        } else {
            nodes[EntryName.split(path).parent]?.childCount += 1
        }
        nodes[path] = node
    }

    /// A directory, link, or node. The place that it got; nil where there is none for it.
    mutating func add(_ entry: InitramfsEntry, index: Int) -> [UInt8]? {
        guard let path = resolve(entry.path, followsLast: false, walked: &walked) else { return nil }
        if path.isEmpty { return entry.type == .directory ? path : nil }
        // Linux replaces a link by a link of the same name, too.
        guard clear(path, unless: entry.type == .symbolicLink ? nil : entry.type) else { return nil }
        put(
            Node(
                entry: index, type: entry.type, permissions: entry.permissions, target: entry.target),
            at: path)
        return path
    }

    /// A regular file. Where a file is already, its contents are replaced, under all its names. The place that it got
    /// and the number of its contents; nil where there is none for it.
    mutating func addFile(_ entry: InitramfsEntry, index: Int) -> (path: [UInt8], contents: Int)? {
        guard let path = resolve(entry.path, followsLast: false, walked: &walked), !path.isEmpty,
            clear(path, unless: .regular)
        else { return nil }
        let contents: Int
        if let old = nodes[path]?.contents {
            contents = old
            sizes[contents] = entry.size
        } else {
            contents = sizes.count
            sizes.append(entry.size)
        }
        put(
            Node(entry: index, type: .regular, permissions: entry.permissions, contents: contents), at: path)
        return (path, contents)
    }

    /// Another name of the file at `first`. Contents that come with it are the file's. The place that it got; nil where
    /// there is none for it.
    mutating func addName(
        _ entry: InitramfsEntry, index: Int, of first: [UInt8]
    ) -> (path: [UInt8], contents: Int)? {
        guard let path = resolve(entry.path, followsLast: false, walked: &walked), !path.isEmpty,
            path != first,
            let contents = nodes[first]?.contents, clear(path, unless: nil)
        else { return nil }
        if entry.size > 0 { sizes[contents] = entry.size }
        put(
            Node(entry: index, type: .regular, permissions: entry.permissions, contents: contents), at: path)
        return (path, contents)
    }

    /// What an entry of no type leaves: nothing, where another type was.
    mutating func remove(_ entry: [UInt8]) {
        guard let path = resolve(entry, followsLast: false, walked: &walked), !path.isEmpty else { return }
        _ = clear(path, unless: nil)
    }

    /// Whether everything of `other` is here as it is there.
    func extends(_ other: UnpackedTree) -> Bool {
        other.nodes.allSatisfy { path, node in
            guard let own = nodes[path], own.entry == node.entry, own.contents == node.contents else {
                return node.type == .directory && nodes[path]?.type == .directory
            }
            return node.contents.map { other.sizes[$0] == sizes[$0] } ?? true
        }
    }

    func file(_ path: [UInt8], _ node: Node) -> InitramfsFile {
        InitramfsFile(
            path: path, type: node.type, permissions: node.permissions,
            size: node.contents.map { sizes[$0] } ?? UInt64(node.target?.count ?? 0), target: node.target,
            entry: node.entry)
    }
}
