import DiskGraft

/// A directory of the host that is put into the guest with everything in it: directories that are there already are added to,
/// files replaced, links made as they are. No link of the host is followed; devices, FIFOs and sockets are left out.
struct TreePut {
    let edit: GuestEdit
    /// What new files and directories are like, where that is said; else they are like the host's.
    let new: NewFileArguments
    /// How many things were left out, each of which was said.
    private(set) var leftOut = 0

    /// A directory on the way down, with the names that are still to come, the next one last.
    private struct Level {
        let identity: FileIdentity
        let host: String
        let path: GuestPath
        var names: [[UInt8]]

        init(_ folder: HostFolder, _ path: GuestPath) throws(StorageError) {
            identity = folder.identity
            host = folder.path
            self.path = path
            names = try folder.names().reversed()
        }
    }

    init(_ edit: GuestEdit, _ new: NewFileArguments) {
        self.edit = edit
        self.new = new
    }

    /// Puts the directory `source` so that it is called `path` in the guest.
    mutating func put(_ source: String, at path: GuestPath) throws(StorageError) {
        // One descriptor is open, however deep it goes.
        var folder = try HostFolder.open(source)
        try makeDirectory(path, like: folder)
        var levels = [try Level(folder, path)]
        while var level = levels.popLast() {
            try Cancellation.check()
            guard let name = level.names.popLast() else {
                guard let above = levels.last else { return }
                folder = try folder.parent(expecting: above.identity, path: above.host)
                continue
            }
            levels.append(level)
            let target = level.path.appending(name)
            switch try folder.entry(name) {
            case .folder(let below):
                try makeDirectory(target, like: below)
                levels.append(try Level(below, target))
                folder = below
            case .file(let file):
                let isNew = try edit.attributes(of: target) == nil
                let options = try new.options(edit, usual: isNew ? file.permissions : nil)
                try edit.put(FileContents(file), at: target, options)
            case .link(let leadsTo): try makeLink(target, leadsTo)
            case .other:
                leftOut += 1
                let place = HostFolder.path(level.host, [name])
                Terminal.printWarning(
                    "\(place.hostBytes.shellText): is a device, FIFO or socket, and is left out")
            }
        }
    }

    private func makeDirectory(_ path: GuestPath, like folder: HostFolder) throws(StorageError) {
        if try edit.attributes(of: path)?.type == .directory { return }
        try edit.makeDirectory(path, try new.options(edit, usual: folder.permissions))
    }

    /// A link that is there goes; in the place of anything else none is made.
    private func makeLink(_ path: GuestPath, _ target: [UInt8]) throws(StorageError) {
        switch try edit.attributes(of: path, followLast: false)?.type {
        case nil: break
        case .symbolicLink: try edit.remove(path)
        case .some(let type):
            throw StorageError(
                .refused, GuestCode.exists,
                "\(path.shellText) is a \(type.words), and would become a symbolic link")
        }
        try edit.symbolicLink(to: target, at: path, try new.options(edit))
    }
}
