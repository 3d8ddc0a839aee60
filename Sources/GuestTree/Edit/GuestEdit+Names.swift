public import Storage

extension GuestEdit {
    /// Removes a file, a link itself and not what it points to; with `recursively` a directory and everything below
    /// it. A large tree goes in several transactions, each of which leaves a smaller tree.
    ///
    /// Throws `refused` for a directory without `recursively`, for a place where a volume is mounted or one holding
    /// such, for a link with a slash behind it, and when nothing is there; `misuse` for a path that ends in "." or "..".
    public func remove(_ path: GuestPath, recursively: Bool = false) throws(StorageError) {
        defer { labels = [:] }
        try naming(path) { () throws(StorageError) in
            try requireLastName(path)
            try requireDirectoryBeforeSlash(path)
            let file = try require(path, followLast: false)
            try requireNoMount(at: file.path)
            let place = try place(of: file.path)
            if file.attributes.type == .directory {
                guard recursively else {
                    throw error(
                        .refused, .isADirectory, "\(path.shellText) is a directory",
                        remedies: [.removeEmptyDirectory, .removeTree])
                }
                try removeContents(of: file)
            }
            try names(on: place.directory.volume).remove(place.name, in: place.directory.id)
            try splitIfLarge(place.directory.volume)
        }
    }

    /// Removes an empty directory.
    public func removeDirectory(_ path: GuestPath) throws(StorageError) {
        defer { labels = [:] }
        try naming(path) { () throws(StorageError) in
            try requireLastName(path)
            try requireDirectoryBeforeSlash(path)
            let file = try require(path, followLast: false)
            guard file.attributes.type == .directory else {
                throw error(.refused, .notADirectory, "\(path.shellText) is no directory")
            }
            try requireNoMount(at: file.path)
            let place = try place(of: file.path)
            try names(on: place.directory.volume).remove(place.name, in: place.directory.id)
        }
    }

    private struct Level {
        var directory: FileID
        /// Its name in the level above.
        var name: [UInt8]
        var left: [DirectoryEntry]
    }

    /// Empties a directory, deepest first; no recursion, so that no image decides how deep the stack grows.
    private func removeContents(of top: GuestFile) throws(StorageError) {
        let volume = top.volume
        func level(_ id: FileID, _ name: [UInt8]) throws(StorageError) -> Level {
            Level(
                directory: id, name: name,
                left: try tree.entries(of: FileKey(volume: volume, id: id)).reversed())
        }
        var levels = [try level(top.id, [])]
        var ancestors: Set<FileID> = [top.id]
        while var current = levels.popLast() {
            try Cancellation.check()
            guard let entry = current.left.popLast() else {
                ancestors.remove(current.directory)
                if let above = levels.last {
                    try names(on: volume).remove(current.name, in: above.directory)
                    try splitIfLarge(volume)
                }
                continue
            }
            levels.append(current)
            let key = FileKey(volume: volume, id: entry.file)
            let type = if let type = entry.type { type } else { try tree.attributes(of: key).type }
            if type == .directory {
                guard ancestors.insert(entry.file).inserted else {
                    throw error(
                        .corrupt, .directoryLoop,
                        "\(top.path.shellText) contains itself; run \(guest.repairTool(ofVolume: volume))")
                }
                levels.append(try level(entry.file, entry.name))
            } else {
                try names(on: volume).remove(entry.name, in: current.directory)
                try splitIfLarge(volume)
            }
        }
    }

    /// Renames or moves within a volume, replacing as rename(2) does; into `destination` when that is a directory.
    public func move(_ path: GuestPath, to destination: GuestPath) throws(StorageError) {
        defer { labels = [:] }
        try naming(path) { () throws(StorageError) in
            try requireLastName(path)
            try requireDirectoryBeforeSlash(path)
            let file = try require(path, followLast: false)
            try requireNoMount(at: file.path)
            let from = try place(of: file.path)
            let isDirectory = file.attributes.type == .directory
            // A file system that folds case finds the file itself under its new name.
            let own = try find(destination, followLast: false)
            let to =
                own?.key == file.key && isDirectory && isOtherName(destination, than: from.name)
                ? try place(of: destination, isForDirectory: true)
                : try target(destination, named: from.name, isForDirectory: isDirectory)
            guard from.directory.volume == to.directory.volume else {
                throw crossVolume(from, to, .copyFiles)
            }
            if let replaced = try find(to.path, followLast: false), replaced.key != file.key {
                try requireNoMount(at: replaced.path)
            }
            try names(on: from.directory.volume).rename(
                from.name, in: from.directory.id, to: to.name, in: to.directory.id)
        }
    }

    private func isOtherName(_ path: GuestPath, than name: [UInt8]) -> Bool {
        guard let last = path.components.last else { return false }
        return last != name && last != GuestPath.here && last != GuestPath.above
    }

    /// Gives a file another name (not following a link); into `destination` when that is a directory. With
    /// `replacing`, a file that has the name already goes.
    public func link(
        _ path: GuestPath, as destination: GuestPath, replacing: Bool = false
    ) throws(StorageError) {
        try naming(destination) { () throws(StorageError) in
            let file = try require(path, followLast: false)
            guard file.attributes.type != .directory else {
                throw error(
                    .refused, .isADirectory,
                    "\(path.shellText) is a directory, which has one name only",
                    remedies: [.linkSymbolically])
            }
            let name = try place(of: file.path).name
            let to = try target(destination, named: name)
            guard file.volume == to.directory.volume else {
                throw crossVolume(try place(of: file.path), to, .linkSymbolically)
            }
            if try find(to.path, followLast: false).map({ $0.key == file.key }) ?? false { return }
            try clear(to, replacing: replacing)
            try links(on: file.volume).link(file.id, as: to.name, in: to.directory.id)
        }
    }

    /// Makes a symbolic link that points to `target`, whatever is there.
    public func symbolicLink(
        to target: [UInt8], at path: GuestPath, replacing: Bool = false,
        _ options: NewFileOptions = NewFileOptions()
    ) throws(StorageError) {
        try naming(path) { () throws(StorageError) in
            let last = GuestPath(target).lastComponent ?? []
            let place = try self.target(path, named: last)
            try requireSettable(options, on: place.directory.volume)
            try clear(place, replacing: replacing)
            var attributes = try attributes(
                ofNew: .symbolicLink, in: place.directory, options, usual: 0o777)
            attributes.permissions = 0o777
            _ = try links(on: place.directory.volume).createSymbolicLink(
                place.name, in: place.directory.id, target: target, attributes: attributes)
        }
    }

    /// Makes a directory; with `parents` those above it too, and no error when it is there.
    public func makeDirectory(
        _ path: GuestPath, parents: Bool = false, _ options: NewFileOptions = NewFileOptions()
    ) throws(StorageError) {
        defer { labels = [:] }
        try naming(path) { () throws(StorageError) in
            if parents { return try makePath(path, options) }
            try makeOne(try place(of: path, isForDirectory: true), options)
        }
    }

    /// Makes the directories of a path that are not there, each from the one above it: from the top each time would take
    /// the square of the depth.
    private func makePath(_ path: GuestPath, _ options: NewFileOptions) throws(StorageError) {
        let parts = path.components.filter { $0 != GuestPath.here }
        var here = try require(.root, followLast: true)
        for (index, name) in parts.enumerated() {
            let there =
                name == GuestPath.above
                ? try find(here.path.appending(name), followLast: true) : try entered(name, in: here)
            if let found = there {
                guard found.attributes.type == .directory else {
                    throw error(
                        .refused, .notADirectory, "\(found.path.shellText) is there and is no directory")
                }
                here = found
                try requireNoObstacle(at: here.path)
                continue
            }
            let place = try place(of: name, in: here)
            try makeOne(place, index == parts.count - 1 ? options : NewFileOptions())
            guard let made = try tree.child(name, of: here) else { throw noSuchFile(place.path) }
            here = made
            try splitIfLarge(here.volume)
        }
    }

    /// What has a name, or what a link of that name leads to; nil when nothing is there.
    private func entered(_ name: [UInt8], in directory: GuestFile) throws(StorageError) -> GuestFile? {
        let child = try tree.child(name, of: directory)
        guard let child, child.attributes.type == .symbolicLink else { return child }
        return try find(child.path, followLast: true)
    }

    private func makeOne(_ place: Place, _ options: NewFileOptions) throws(StorageError) {
        try requireFree(place)
        try requireSettable(options, on: place.directory.volume)
        let attributes = try attributes(ofNew: .directory, in: place.directory, options, usual: 0o755)
        _ = try names(on: place.directory.volume).createDirectory(
            place.name, in: place.directory.id, attributes: attributes)
    }

    /// Makes a device node, FIFO or socket.
    public func makeNode(
        _ path: GuestPath, type: FileType, device: FileAttributes.DeviceNumber?,
        _ options: NewFileOptions = NewFileOptions()
    ) throws(StorageError) {
        try naming(path) { () throws(StorageError) in
            let place = try place(of: path)
            try requireFree(place)
            try requireSettable(options, on: place.directory.volume)
            let attributes = try attributes(ofNew: type, in: place.directory, options, usual: 0o644)
            _ = try nodes(on: place.directory.volume).createNode(
                place.name, in: place.directory.id, type: type, device: device, attributes: attributes)
        }
    }

    // MARK: Helpers

    /// The place that a destination names: in it, when it is a directory.
    private func target(
        _ path: GuestPath, named name: [UInt8], isForDirectory: Bool = false
    ) throws(StorageError) -> Place {
        if let found = try find(path, followLast: true), found.attributes.type == .directory {
            return try place(of: name, in: found)
        }
        return try place(of: path, isForDirectory: isForDirectory)
    }

    /// Throws when a name is taken.
    func requireFree(_ place: Place) throws(StorageError) {
        guard try tree.lookUp(place.name, in: place.directory.key) == nil else {
            throw error(.refused, .exists, "\(place.path.shellText) is there already")
        }
    }

    /// Makes room for a new name.
    func clear(_ place: Place, replacing: Bool) throws(StorageError) {
        guard replacing, let id = try tree.lookUp(place.name, in: place.directory.key) else {
            return try requireFree(place)
        }
        let key = FileKey(volume: place.directory.volume, id: id)
        guard try tree.attributes(of: key).type != .directory else {
            throw error(.refused, .isADirectory, "\(place.path.shellText) is a directory")
        }
        try names(on: key.volume).remove(place.name, in: place.directory.id)
    }

    private func crossVolume(_ from: Place, _ to: Place, _ remedy: Remedy) -> StorageError {
        error(
            .refused, .crossVolume,
            "\(from.path.shellText) lies on \(guest.volumes[from.directory.volume].name) and "
                + "\(to.path.shellText) on \(guest.volumes[to.directory.volume].name)", remedies: [remedy])
    }
}
