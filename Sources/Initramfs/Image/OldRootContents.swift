package import Storage

/// Opens the file system that a device in memory holds; nil for one that nobody here can. Who composes the layers knows the
/// drivers.
package typealias OldRootOpener =
    @Sendable (_ device: any BlockDevice) throws(StorageError) -> (
        any FileSystem
    )?

extension InitramfsImage {
    /// What an image that is a file system holds, as if it had been unpacked: it becomes the root as it is. `isWanted` as in
    /// `contents(where:)`. Throws what reading throws, and `refused` for more files than an image may have.
    package func contents(
        of tree: any FileTree, _ kind: OldRootKind,
        where isWanted: (_ path: [UInt8], _ size: UInt64) -> Bool
    ) throws(StorageError) -> InitramfsContents {
        let limits = InitramfsLimits()
        var result = InitramfsContents()
        result.fileSystem = kind
        result.byteCount = source.byteCount
        var left: [(directory: FileID, path: [UInt8])] = [(tree.rootDirectory, [])]
        var visited: Set<FileID> = [tree.rootDirectory]
        var heldByteCount = 0
        while let (directory, place) = left.popLast() {
            try Cancellation.check()
            for name in try tree.entries(of: directory) {
                guard result.entries.count < limits.entryCount else {
                    throw .memoryBound(
                        InitramfsCode.layer, "the file system has more than \(limits.entryCount) files")
                }
                guard let id = try tree.lookUp(name.name, in: directory) else { continue }
                let attributes = try tree.attributes(of: id)
                var entry = InitramfsEntry(
                    path: EntryName.join(place, name.name), type: attributes.type,
                    permissions: attributes.permissions, owner: attributes.owner, group: attributes.group,
                    size: attributes.size, member: 0, isUnpacked: true)
                entry.deviceNumber = attributes.deviceNumber
                let index = result.entries.count
                switch attributes.type {
                case .regular:
                    if let file = result.tree.addFile(entry, index: index), isWanted(file.path, entry.size) {
                        if entry.size <= UInt64(limits.heldByteCount - heldByteCount) {
                            let bytes = try tree.contents(of: id, limit: limits.heldByteCount)
                            result.held[file.contents] = bytes
                            heldByteCount += bytes.count
                        } else {
                            result.omitted.insert(file.path)
                        }
                    }
                case .symbolicLink:
                    entry.target = try tree.symbolicLinkTarget(of: id)
                    _ = result.tree.add(entry, index: index)
                case .directory:
                    _ = result.tree.add(entry, index: index)
                    if visited.insert(id).inserted { left.append((id, entry.path)) }
                default: _ = result.tree.add(entry, index: index)
                }
                result.entries.append(entry)
            }
        }
        return result
    }
}
