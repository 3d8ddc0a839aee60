package import Storage

/// What one pass over an image found.
package struct InitramfsContents: Sendable {
    /// Its members, in their order.
    package internal(set) var members: [InitramfsMember] = []
    /// Every entry of every member, in their order.
    package internal(set) var entries: [InitramfsEntry] = []
    /// Why Linux stops unpacking; nil where it reaches the end. What stands before the place is unpacked, nothing that
    /// stands behind it.
    package internal(set) var failure: StorageError?
    /// `failure` lies within an archive: files that it names are not unpacked, or with other bytes. False where every
    /// archive before that place is whole, and what follows is none that Linux unpacks.
    package internal(set) var isCutOff = false
    /// `failure` lies behind whole archives that have an /init. What stands before it is what counts here: nothing of
    /// the member with the failure.
    package internal(set) var isBehindSystem = false
    /// Behind such archives, and before the failure, something in them was replaced: what Linux comes to is not known.
    package internal(set) var isChangedBehind = false
    /// The image is a file system, as before Linux 2.6, and this is which; it has no members then. See
    /// `InitramfsImage.fileSystemDevice`.
    package internal(set) var fileSystem: OldRootKind?
    /// How long the image is, in bytes.
    package internal(set) var byteCount: UInt64 = 0
    /// What was asked for and left out, because it was too long.
    package internal(set) var omitted: Set<[UInt8]> = []
    var tree = UnpackedTree()
    var held: [Int: [UInt8]] = [:]

    init() {}

    /// The file at `path` ("etc/lvm/lvm.conf"), links on the way and at its end followed.
    package func file(at path: some Collection<UInt8>) -> InitramfsFile? {
        guard let place = tree.resolve(Array(path), followsLast: true), let node = tree.nodes[place] else {
            return nil
        }
        return tree.file(place, node)
    }

    /// The same, for a path that is written here.
    package func file(at path: String) -> InitramfsFile? { file(at: Array(path.utf8)) }

    /// What is at `path` itself, a link where it is one.
    package func unresolvedFile(at path: String) -> InitramfsFile? {
        guard let place = tree.resolve(Array(path.utf8), followsLast: false), let node = tree.nodes[place]
        else {
            return nil
        }
        return tree.file(place, node)
    }

    /// The bytes of the regular file at `path`, links followed, where they were asked for and are held.
    package func bytes(of path: some Collection<UInt8>) -> [UInt8]? {
        guard let place = tree.resolve(Array(path), followsLast: true), let node = tree.nodes[place],
            let contents = node.contents
        else { return nil }
        return held[contents]
    }

    /// The same, for a path that is written here.
    package func bytes(of path: String) -> [UInt8]? { bytes(of: Array(path.utf8)) }

    /// Every file that is unpacked, directories and links too, sorted by path.
    package var files: [InitramfsFile] {
        tree.nodes.filter { !$0.key.isEmpty && $0.value.entry != nil }
            .map { tree.file($0.key, $0.value) }
            .sorted { $0.path.lexicographicallyPrecedes($1.path) }
    }
}
