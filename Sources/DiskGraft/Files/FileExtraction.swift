internal import Glibc
public import GuestTree
internal import HostIO
public import Storage

extension GuestFiles {
    /// Copies a file, or a directory with everything below it, to the host: contents with their holes, the low
    /// nine permission bits, modification times, and what `options` ask for. Owners, access control lists and extended
    /// attributes stay behind, and files of several names become several: `note` hears of these once, with a count.
    /// `report` hears of everything else that was left out.
    ///
    /// A file that cannot be copied to its end is removed; those copied before it stay. A host that takes no more files
    /// ends the copying.
    ///
    /// `destination` must not exist. Everything is made anew in directories made here and held open, so that nothing
    /// is written elsewhere, whatever names and links the image holds.
    public func extract(
        _ top: GuestFile, to destination: String, options: ExtractionOptions = ExtractionOptions(),
        progress: @escaping (UInt64) -> Void = { _ in }, report: @escaping (String) -> Void = { _ in },
        note: (String) -> Void = { _ in }
    ) throws(StorageError) {
        var place = destination
        // As cp has it: a file gets no name that says "directory".
        if top.attributes.type != .directory, place.utf8.count > 1, place.utf8.last == UInt8(ascii: "/") {
            throw .io("host file", operation: "create", errno: ENOTDIR, path: place)
        }
        while place.utf8.count > 1, place.utf8.last == UInt8(ascii: "/") { place.removeLast() }
        var extraction = FileExtraction(
            files: self, options: options, top: top,
            parent: try HostFolder.open(HostPath.directory(of: place)),
            name: HostPath.name(of: place).hostBytes, progress: progress, report: report)
        var end: StorageError?
        try walk(top) { (visit) throws(StorageError) in
            switch visit {
            case .unreadable(_, let error): report(error.description)
            case .file(let file):
                do throws(StorageError) {
                    try extraction.make(file)
                } catch {
                    guard error.saysHostIsFull else { throw error }
                    end = error
                    return false
                }
            }
            return true
        }
        do throws(StorageError) {
            try extraction.finish()
        } catch {
            throw end ?? error
        }
        for sentence in extraction.losses.sentences { note(sentence) }
        if let end { throw end }
    }
}

extension StorageError {
    /// The host has no room for any further file.
    fileprivate var saysHostIsFull: Bool {
        kind == .io && [ENOSPC, EDQUOT, EROFS].contains(errno ?? 0)
    }
}

/// One tree on its way to the host.
private struct FileExtraction {
    let files: GuestFiles
    let options: ExtractionOptions
    let top: GuestFile
    /// Where the top goes, and as what.
    let parent: HostFolder
    let name: [UInt8]
    let progress: (UInt64) -> Void
    let report: (String) -> Void

    /// A directory whose contents are being made.
    private struct Level {
        /// Nil while it is closed: deep trees need more directories than a process may open.
        var folder: HostFolder?
        let identity: FileIdentity
        let name: [UInt8]
        let permissions: UInt16
        let modified: Timestamp
    }

    /// From the top down; the last is open.
    private var levels: [Level] = []
    private var done: UInt64 = 0
    private(set) var losses = ExtractionLosses()
    /// How many directories are kept open.
    private static let openLimit = 64

    init(
        files: GuestFiles, options: ExtractionOptions, top: GuestFile, parent: HostFolder,
        name: [UInt8], progress: @escaping (UInt64) -> Void, report: @escaping (String) -> Void
    ) {
        self.files = files
        self.options = options
        self.top = top
        self.parent = parent
        self.name = name
        self.progress = progress
        self.report = report
    }

    /// Makes one file; a directory before what is in it.
    mutating func make(_ file: GuestFile) throws(StorageError) {
        try Cancellation.check()
        // Counted, not taken apart: that would take the square of the depth.
        let relative = file.path.relative(to: top.path)
        let depth = relative.isEmpty ? 0 : relative.count(where: { $0 == GuestPath.slash }) + 1
        while levels.count > depth { try close() }
        guard let folder = depth == 0 ? parent : levels.last?.folder else { return }
        let name = depth == 0 ? self.name : file.path.lastComponent ?? self.name
        let attributes = file.attributes
        let isLeftOut =
            switch attributes.type {
            case .directory, .regular, .symbolicLink: false
            case .characterDevice, .blockDevice, .fifo, .socket: !options.makesNodes
            }
        guard !isLeftOut else {
            return report("\(file.path.shellText): a \(attributes.type.words) is left out")
        }
        let permissions = try permissions(of: file)
        switch attributes.type {
        case .directory: try open(try folder.makeFolder(name), name, attributes, permissions)
        case .regular:
            let output = try folder.makeFile(name)
            do throws(StorageError) {
                try copy(file, to: output, permissions)
            } catch {
                // Half a file could be taken for a whole one.
                folder.removeFile(name)
                throw error
            }
        case .symbolicLink:
            let target = try files.linkTarget(of: file)
            guard makes(target, depth: depth - 1) else {
                return report(
                    "\(file.path.shellText): a symbolic link to \(target.shellText) is left out"
                        + (options.links == .inside ? ": it leads out of what is copied" : ""))
            }
            try folder.makeSymbolicLink(name, target: target, modified: attributes.modificationTime)
        case .characterDevice, .blockDevice, .fifo, .socket:
            try folder.makeNode(
                name, type: attributes.type, device: attributes.deviceNumber, permissions: permissions,
                modified: attributes.modificationTime)
        }
    }

    /// Ends the directories that are still open.
    mutating func finish() throws(StorageError) {
        while !levels.isEmpty { try close() }
    }

    private func makes(_ target: [UInt8], depth: Int) -> Bool {
        switch options.links {
        case .all: true
        case .none: false
        case .inside: ExtractionOptions.staysInside(target, depth: depth)
        }
    }

    /// The mode bits that a file gets. Says which of them it does not, and counts what else it loses.
    private mutating func permissions(of file: GuestFile) throws(StorageError) -> UInt16 {
        var attributes: [ExtendedAttribute] = []
        var isListUnknown = false
        do throws(StorageError) {
            attributes = try files.extendedAttributes(of: file)
        } catch {
            guard !error.isCancellation else { throw error }
            isListUnknown = true
            report(error.description)
        }
        losses.count(file, attributes)
        let list = attributes.first { $0.name == AccessControl.AttributeName.access }
        let permissions = HostPermissions(
            file.attributes, list: list.flatMap { AccessControl($0) }, isListUnknown: isListUnknown,
            keepsSetID: options.keepsSetID)
        if let words = permissions.leftOutWords, file.attributes.type != .symbolicLink {
            report("\(file.path.shellText): \(words)")
        }
        return permissions.bits
    }

    private mutating func open(
        _ folder: HostFolder, _ name: [UInt8], _ attributes: FileAttributes, _ permissions: UInt16
    ) throws(StorageError) {
        levels.append(
            Level(
                folder: folder, identity: folder.identity, name: name, permissions: permissions,
                modified: attributes.modificationTime))
        if levels.count > Self.openLimit { levels[levels.count - 1 - Self.openLimit].folder = nil }
    }

    /// Ends the deepest directory. Its attributes come last: making files in it changes its times, and it may not be
    /// one that may be written to.
    private mutating func close() throws(StorageError) {
        guard let level = levels.popLast(), let folder = level.folder else { return }
        if let above = levels.last, above.folder == nil {
            levels[levels.count - 1].folder = try folder.parent(expecting: above.identity, path: path)
        }
        try folder.setAttributes(permissions: level.permissions, modified: level.modified)
    }

    /// The deepest directory's path. Not kept for each: together they would be as long as the tree is deep, squared.
    private var path: String {
        HostFolder.path(parent.path, levels.map(\.name))
    }

    private mutating func copy(
        _ file: GuestFile, to output: HostFile, _ permissions: UInt16
    ) throws(StorageError) {
        let fileSystem = try files.fileSystem(of: file)
        let size = file.attributes.size
        var buffer = [UInt8](repeating: 0, count: Int(min(max(size, 1), 1 << 20)))
        var position: UInt64 = 0
        while position < size {
            try Cancellation.check()
            let extent = try fileSystem.nextExtent(of: file.id, at: position)
            let end = min(extent.range.upperBound, size)
            guard end > position else { break }
            if extent.kind == .zero {
                position = end
                continue
            }
            let count = Int(min(end - position, UInt64(buffer.count)))
            let got = try buffer.withMutableBytes { (span) throws(StorageError) -> Int in
                var part = span.part(0..<count)
                return try fileSystem.read(file.id, into: &part, at: position)
            }
            guard got > 0 else { break }
            try output.write(buffer.span8.extracting(0..<got), at: position)
            position += UInt64(got)
        }
        try output.truncate(to: size)
        try output.setAttributes(
            permissions: permissions, modified: file.attributes.modificationTime)
        done += size
        progress(done)
    }
}
