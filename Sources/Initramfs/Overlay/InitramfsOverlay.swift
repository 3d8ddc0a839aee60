internal import Codecs
package import Storage

/// Files to be added to an initramfs, as an archive of its own. The same files give the same bytes.
package struct InitramfsOverlay: Sendable, Equatable {
    /// What one path of it is.
    package enum Node: Sendable, Equatable {
        /// A directory.
        case directory
        /// A regular file.
        case file(bytes: [UInt8])
        /// A symbolic link.
        case link(target: [UInt8])
    }

    /// What there is, by path.
    package private(set) var nodes: [[UInt8]: Node] = [:]
    private var permissions: [[UInt8]: UInt16] = [:]
    /// The overlay is held in memory: modules and a few short files.
    package static let byteLimit = 256 << 20
    private var byteCount = 0

    /// Nothing yet.
    package init() {}

    /// Adds a directory, and those that it lies in. Throws `misuse`, code "bad-overlay", for a path that is none, and for
    /// one that is something else already.
    package mutating func addDirectory(
        _ path: [UInt8], permissions: UInt16 = 0o755
    ) throws(StorageError) {
        try add(.directory, path, permissions)
    }

    /// Adds a regular file, and the directories that it lies in; throws as `addDirectory` does, and `refused` for more
    /// bytes than the limit.
    package mutating func addFile(
        _ path: [UInt8], _ bytes: [UInt8], permissions: UInt16 = 0o644
    ) throws(StorageError) {
        guard bytes.count <= Self.byteLimit - byteCount else {
            throw .initramfs(
                .refused, .badOverlay, "what is to be added has more than \(Self.byteLimit >> 20) MiB")
        }
        try add(.file(bytes: bytes), path, permissions)
        byteCount += bytes.count
    }

    /// Adds a symbolic link, and the directories that it lies in; throws as `addDirectory` does.
    package mutating func addLink(_ path: [UInt8], to target: [UInt8]) throws(StorageError) {
        guard (1...4095).contains(target.count), !target.contains(0) else {
            throw bad("the link \(path.shellText) would lead to what is no path")
        }
        try add(.link(target: target), path, 0o777)
    }

    private func bad(_ what: String) -> StorageError { .initramfs(.misuse, .badOverlay, what) }

    private mutating func add(_ node: Node, _ path: [UInt8], _ mode: UInt16) throws(StorageError) {
        let steps = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard path.count < 4096, steps.allSatisfy({ DirectoryEntry.isSound(name: Array($0)) }),
            path != Array("TRAILER!!!".utf8)
        else { throw bad("\(path.shellText) is no path from the root of an initramfs") }
        for count in 1..<max(steps.count, 1) {
            let parent = Array(steps[..<count].joined(separator: [UInt8(ascii: "/")]))
            guard nodes[parent, default: .directory] == .directory else {
                throw bad("\(parent.shellText) is no directory, and \(path.shellText) would lie in it")
            }
            if nodes[parent] == nil {
                nodes[parent] = .directory
                permissions[parent] = 0o755
            }
        }
        if let old = nodes[path], old != .directory || node != .directory {
            throw bad("\(path.shellText) is added twice")
        }
        nodes[path] = node
        permissions[path] = mode & 0o7777
    }

    /// The files as an archive ("newc"): directories before what lies in them, times and owners zero, padded to 512 bytes.
    package func archive() throws(StorageError) -> [UInt8] {
        var writer = CpioWriter()
        for path in nodes.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let mode = permissions[path] ?? 0o755
            switch nodes[path] {
            case .file(let bytes): writer.add(path, type: .regular, permissions: mode, bytes)
            case .link(let target): writer.add(path, type: .symbolicLink, permissions: mode, target)
            case .directory, nil: writer.add(path, type: .directory, permissions: mode, [])
            }
        }
        return writer.finish()
    }
}
