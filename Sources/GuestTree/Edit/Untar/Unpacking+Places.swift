internal import Storage

/// Where members go. No way leads out of the directory, or through a link that the archive brought.
extension Unpacking {
    /// The directory that the archive goes into is all there is for it. Symbolic links stay as they are.
    mutating func noteAbsolute(_ member: TarReader.Member) {
        guard !hasAbsoluteNames else { return }
        let names = [member.name] + (member.type == UInt8(ascii: "1") ? [member.target] : [])
        guard let name = names.first(where: { GuestPath($0).isAbsolute }) else { return }
        hasAbsoluteNames = true
        report(
            "the archive has names that begin with /, as \(name.shellText); they are taken as names below "
                + top.path.shellText)
    }

    /// A member's name without "." and a leading "/"; ".." is refused.
    func components(_ name: [UInt8]) throws(StorageError) -> [[UInt8]] {
        let parts = GuestPath(name).components.filter { $0 != GuestPath.here }
        guard !parts.contains(GuestPath.above) else {
            throw StorageError(
                .refused, TarCode.nameLeadsOut,
                "the archive's member \(name.shellText) leads out of the directory; nothing was written",
                offset: reader.position)
        }
        guard parts.count <= Self.levelLimit, name.count <= Self.nameLimit else {
            throw StorageError(
                .refused, TarCode.nameTooDeep,
                "the archive has a name of \(parts.count) levels and \(name.count) bytes; more than "
                    + "\(Self.levelLimit) levels or \(Self.nameLimit) bytes are not unpacked; nothing was written",
                offset: reader.position)
        }
        return parts
    }

    /// The directory of a path in the archive; made when the archive did not bring it.
    mutating func directory(_ parts: ArraySlice<[UInt8]>) throws(StorageError) -> GuestFile {
        for name in trail.leave(for: parts) {
            trail.enter(name, try directory(name, in: trail.directory))
        }
        return trail.directory
    }

    func directory(_ name: [UInt8], in parent: GuestFile) throws(StorageError) -> GuestFile {
        let place = try edit.place(of: name, in: parent)
        if try edit.tree.lookUp(name, in: parent.key) == nil {
            let new = try edit.attributes(
                ofNew: .directory, in: parent, NewFileOptions(), usual: 0o755)
            let id = try edit.names(on: parent.volume).createDirectory(name, in: parent.id, attributes: new)
            // The number may have been a removed directory's.
            edit.labels[FileKey(volume: parent.volume, id: id)] = nil
        }
        let found: GuestFile?
        do throws(StorageError) {
            found = try self.found(place)
        } catch {
            guard error.isCode(TarCode.throughLink) else { throw error }
            throw StorageError(
                .refused, TarCode.throughLink,
                "a member of the archive goes through \(place.path.shellText), a symbolic link that it brought "
                    + "itself; nothing was written", offset: reader.position)
        }
        guard let found, found.attributes.type == .directory else {
            throw edit.error(
                .refused, .notADirectory, "\(place.path.shellText) is in the way: it is no directory")
        }
        return found
    }

    /// What has a name, links followed, but not those that the archive brought. Only a link is looked for from the top.
    func found(_ place: GuestEdit.Place) throws(StorageError) -> GuestFile? {
        guard let child = try edit.tree.child(place.name, of: place.directory) else { return nil }
        guard child.attributes.type == .symbolicLink else { return child }
        return try steps.walk(place.path, followLast: true)
    }

    var steps: ArchiveSteps { ArchiveSteps(tree: edit.tree, links: links) }

    /// The file that a hard link of the archive leads to.
    mutating func target(of member: TarReader.Member) throws(StorageError) -> GuestFile {
        let parts = try components(member.target)
        guard let name = parts.last else {
            throw edit.error(.refused, .noSuchFile, "a hard link of the archive leads to no file")
        }
        let directory = try directory(parts.dropLast())
        guard let found = try edit.tree.child(name, of: directory) else {
            throw edit.noSuchFile(directory.path.appending(name))
        }
        return found
    }
}
