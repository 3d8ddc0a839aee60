public import Storage

/// Files by path: a guest's whole tree with its mounts, or one volume.
public struct GuestFiles: Sendable {
    let tree: any GuestTree
    let guest: any GuestVolumes
    /// Volumes by the canonical path they are mounted at; only those whose files can be read.
    let mountPoints: [GuestPath: Int]
    /// Where what the fstab mounts is missing, by canonical path.
    let obstacles: [GuestPath: StorageError]
    /// What a user should know of the tree as a whole before relying on it.
    public let notes: [StorageError]

    /// The files of `tree`, which lies on the volumes of `guest`. `mountPoints` and `obstacles` are by paths without links.
    package init(
        tree: any GuestTree, guest: any GuestVolumes, mountPoints: [GuestPath: Int] = [:],
        obstacles: [GuestPath: StorageError] = [:], notes: [StorageError] = []
    ) {
        self.tree = tree
        self.guest = guest
        self.mountPoints = mountPoints
        self.obstacles = obstacles
        self.notes = notes
    }

    /// What was odd in the file systems read so far and did not stop reading.
    public var warnings: [String] { guest.fileSystemWarnings }

    /// The file at an absolute path, symbolic links followed, the last one only when `followLast`.
    /// Throws `refused` when nothing is there, and the obstacle to a path below a mount that is missing.
    public func find(_ path: GuestPath, followLast: Bool = true) throws(StorageError) -> GuestFile {
        guard !path.bytes.isEmpty, let file = try tree.find(path, followLast: followLast) else {
            if path.endsInSlash, try tree.find(path.withoutSlash, followLast: false) != nil {
                throw StorageError(
                    .refused, GuestCode.notADirectory, "\(path.withoutSlash.shellText) is no directory",
                    path: guest.mainPath)
            }
            let last = followLast ? try tree.find(path, followLast: false) : nil
            let isLink = last?.attributes.type == .symbolicLink
            throw StorageError(
                .refused, GuestCode.noSuchFile,
                isLink
                    ? "\(path.shellText) is a symbolic link that leads nowhere in the guest"
                    : "there is no \(path.shellText) in the guest",
                path: guest.mainPath)
        }
        return file
    }

    /// What is to be copied by its path: the file that a link leads to, as `find` has it, or the link itself where it leads nowhere.
    public func findForCopy(_ path: GuestPath) throws(StorageError) -> GuestFile {
        do throws(StorageError) {
            return try find(path)
        } catch {
            guard error.isCode(GuestCode.noSuchFile), !path.endsInSlash,
                let link = try tree.find(path, followLast: false),
                link.attributes.type == .symbolicLink
            else { throw error }
            return link
        }
    }

    /// Why what the fstab mounts on a directory is not in the tree; nil where nothing is missing. The directory is
    /// there, and its contents are not.
    public func obstacle(at directory: GuestPath) -> StorageError? { obstacles[directory] }

    /// The entries of a directory in the order of their names. Throws `corrupt` for one that no path can have, and
    /// for one that is there twice: what was made under the first of them would be written through for the second.
    public func entries(of directory: GuestFile) throws(StorageError) -> [DirectoryEntry] {
        guard directory.attributes.type == .directory else {
            throw StorageError(
                .refused, GuestCode.notADirectory,
                "\(directory.path.shellText) is no directory",
                path: guest.mainPath)
        }
        if let obstacle = obstacles[directory.path] { throw obstacle }
        let entries = try fileSystem(of: directory).entries(of: directory.id)
            .sortedUnlessStopped { $0.name.lexicographicallyPrecedes($1.name) }
        for (turn, (entry, next)) in zip(entries, entries.dropFirst()).enumerated() {
            try Cancellation.check(turn: turn)
            guard entry.name == next.name else { continue }
            throw StorageError(
                .corrupt, GuestCode.doubleName,
                "\(directory.path.shellText) holds \(entry.name.shellText) twice; run "
                    + guest.repairTool(ofVolume: directory.volume),
                path: guest.mainPath)
        }
        return entries
    }

    /// Calls `body` with the contents of a regular file, piece by piece, in order.
    public func forEachPiece(
        of file: GuestFile, _ body: (RawSpan) throws(StorageError) -> Void
    ) throws(StorageError) {
        guard file.attributes.type == .regular else {
            throw StorageError(
                .refused, GuestCode.notARegularFile,
                "\(file.path.shellText) is a \(file.attributes.type.words), not a regular file",
                path: guest.mainPath)
        }
        let fileSystem = try fileSystem(of: file)
        var buffer = [UInt8](repeating: 0, count: Int(min(max(file.attributes.size, 1), 1 << 20)))
        var position: UInt64 = 0
        while position < file.attributes.size {
            // A hole is read without a host file.
            try Cancellation.check()
            let got = try buffer.withMutableBytes { (span) throws(StorageError) -> Int in
                try fileSystem.read(file.id, into: &span, at: position)
            }
            guard got > 0 else { break }
            try body(buffer.span8.extracting(0..<got))
            position += UInt64(got)
        }
    }

    /// All extended attributes of a file.
    public func extendedAttributes(of file: GuestFile) throws(StorageError) -> [ExtendedAttribute] {
        try fileSystem(of: file).extendedAttributes(of: file.id)
    }

    /// Where a symbolic link points.
    public func linkTarget(of file: GuestFile) throws(StorageError) -> [UInt8] {
        try fileSystem(of: file).symbolicLinkTarget(of: file.id)
    }

    /// The name of the volume that a file lies on.
    public func volumeName(of file: GuestFile) -> String { guest.volumes[file.volume].name }

    /// The file system that a file lies on.
    public func fileSystem(of file: GuestFile) throws(StorageError) -> any FileSystem {
        try guest.fileSystem(on: file.volume)
    }
}
