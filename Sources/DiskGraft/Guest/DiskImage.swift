internal import HostIO
public import ImageFormats
public import Storage
internal import Undo

/// One disk image, opened.
public final class DiskImage: Sendable {
    /// The path it was opened by.
    public let path: String
    /// The guest's disk. Its `isWritable` says whether it was opened for writing.
    public var device: any BlockDevice { opened.disk }
    /// The format.
    public var format: ImageFormat { opened.info.format }
    /// The guest disk's size in bytes.
    public var byteCount: UInt64 { opened.disk.byteCount }
    /// What a user should know before relying on the image.
    public var warnings: [String] {
        sourceNotes + opened.info.warnings.map { "\(path.hostBytes.shellText): \($0)" } + recordNotes
    }

    let opened: OpenedImage
    /// What a copy is called, without a suffix; nil: as the file.
    let stem: String?
    /// What was said of the description or the archive that led to it.
    private let sourceNotes: [String]
    /// The description and the archive that led to it.
    let containers: [any ByteFile]
    /// Every file of the host that it was read from: none of them may be replaced by a copy.
    public var sourceFiles: [any ByteFile] { device.hostFiles + containers }
    /// Where the undo records of its host files lie.
    let records: UndoPlace

    private init(
        _ request: DiskSources.Request, opened: OpenedImage, notes: [String] = [],
        containers: [any ByteFile] = []
    ) {
        path = request.path
        stem = request.stem
        self.opened = opened
        sourceNotes = notes
        self.containers = containers
        records = request.options.records
    }

    /// Where the undo record of a block device that may be changed is: not where one looks for it. And where a change that
    /// is cut off would not be seen.
    var recordNotes: [String] {
        let files = opened.disk.hostFiles.filter { $0.access == .write }
        return files.filter(\.hasFixedLength)
            .map {
                "\($0.path.hostBytes.shellText): its undo record is kept in \(records.recordPath(for: $0.path).hostBytes.shellText)"
            }
            + files.compactMap { file in
                file.namesWithoutMark.map {
                    "\(file.path.hostBytes.shellText): has \($0) names, and its file system keeps no extended attributes: a change that is cut off "
                        + "would not be seen by a name in another directory"
                }
            }
    }

    /// Opens an image. For writing, a change that was cut off earlier is first rolled back from its undo record.
    ///
    /// Throws `io`, `corrupt`, `unsupported` (formats and features by name) or `refused` (locked by another
    /// process, several formats match, a file it names must not be opened, a cut-off change cannot be rolled back,
    /// locks are ignored for writing).
    public static func open(
        _ path: String, options: ImageOptions = ImageOptions(), forWriting: Bool = false
    ) throws(StorageError) -> DiskImage {
        try open(try DiskSources.one(path, options), options, forWriting: forWriting)[0]
    }

    /// The files of the images behind this one, the nearest first.
    public var backingChain: [String] { opened.disk.parents.compactMap { $0.map.hostFiles.first?.path } }

    /// The disks of several images as one, one behind the other, each filled up with zeros to whole sectors. Throws `misuse`
    /// where they count sectors of different sizes.
    public static func joined(_ images: [DiskImage]) throws(StorageError) -> any BlockDevice {
        if let only = images.first, images.count == 1 { return only.device }
        return try JoinedDevice(images.map(\.device))
    }

    /// Opens images that are given together: each of the parents that `options` name belongs to one of them.
    ///
    /// Throws what `open` throws, and `refused`, code "parent-left-over".
    public static func open(
        _ requests: [(path: String, options: ImageOptions)], forWriting: Bool = false
    ) throws(StorageError) -> [DiskImage] {
        var images: [DiskImage] = []
        var found: [DiskSources] = []
        for request in requests { found.append(try DiskSources.one(request.path, request.options)) }
        try DiskSources.requireChoice(found, requests.first?.options)
        for sources in found { images += try openAll(sources, forWriting: forWriting) }
        if let options = requests.first?.options { try refuseLeftOverParents(images, options) }
        return images
    }

    /// The disks that were found.
    static func open(
        _ sources: DiskSources, _ options: ImageOptions, forWriting: Bool
    ) throws(StorageError) -> [DiskImage] {
        try DiskSources.requireChoice([sources], options)
        let images = try openAll(sources, forWriting: forWriting)
        try refuseLeftOverParents(images, options)
        return images
    }

    private static func openAll(
        _ sources: DiskSources, forWriting: Bool
    ) throws(StorageError) -> [DiskImage] {
        var images: [DiskImage] = []
        for request in sources.requests {
            // Once, with the first.
            let stale = forWriting ? sources.manifests : []
            let notes =
                sources.notes
                + stale.map { "\($0.hostBytes.shellText): does not fit any more once a disk is changed" }
            images.append(
                try openOne(
                    request, forWriting: forWriting, notes: images.isEmpty ? notes : [],
                    containers: sources.containers))
        }
        return images
    }

    /// A parent that belongs to no image is a mistake: what it holds would be missing without a word.
    private static func refuseLeftOverParents(
        _ images: [DiskImage], _ options: ImageOptions
    ) throws(StorageError) {
        let known = images.flatMap { $0.opened.disk.hostFiles.map(\.identity) }
        for parent in options.parents {
            guard let identity = HostDirectory.identity(of: parent), !known.contains(identity) else {
                continue
            }
            throw StorageError(
                .refused, DiskCode.parentLeftOver,
                "is given as a parent and no image that is opened has it behind it", path: parent)
        }
    }

    private static func openOne(
        _ request: DiskSources.Request, forWriting: Bool, notes sourceNotes: [String] = [],
        containers: [any ByteFile] = []
    ) throws(StorageError) -> DiskImage {
        let (path, options) = (request.path, request.options)
        if forWriting, options.given.members[path.hostBytes] != nil { throw GivenFiles.readOnly(path) }
        let format = options.format
        if format == nil { try MachineDescription.refuse(path) }
        guard forWriting else {
            var opened = try ImageProbe.open(path, format: format, options: options.openOptions(.read))
            opened.info.warnings += sizeNotes(request, opened)
            return DiskImage(request, opened: opened, notes: sourceNotes, containers: containers)
        }
        try options.requireLocks(path)
        try requireNoChildren(path, options)
        // Before the image is parsed: a half-done change may have left it unreadable.
        var notes = try recover(path, options)
        let companions = try ImageProbe.open(path, format: format, options: options.openOptions(.write))
            .disk.hostFiles.filter { $0.access == .write }.map(\.path)
        for companion in companions where companion.hostBytes != path.hostBytes {
            notes += try recover(companion, options, beside: path)
        }
        var opened = try ImageProbe.open(path, format: format, options: options.openOptions(.write))
        guard opened.disk.isWritable else {
            throw StorageError(
                .refused, DiskCode.notWritable, "this variant cannot be changed in place",
                layerName: opened.info.format.rawValue, path: path,
                remedies: [.migrate, .convert(options: [])])
        }
        if options.warnsOfChildren, let warning = changeWarning(path) { opened.info.warnings.append(warning) }
        opened.info.warnings += notes + sizeNotes(request, opened)
        return DiskImage(request, opened: opened, notes: sourceNotes, containers: containers)
    }

    /// What a description says of the disk's size, where the disk has another one.
    private static func sizeNotes(_ request: DiskSources.Request, _ opened: OpenedImage) -> [String] {
        guard let disk = request.described, let stated = disk.byteCount else { return [] }
        let found = opened.disk.byteCount
        let difference = stated > found ? stated - found : found - stated
        guard difference >= max(disk.byteCountUnit, 1) else { return [] }
        return [
            "its description says that the disk has \(stated) bytes, and it has \(found); the disk is believed"
        ]
    }

    /// Throws where the image, or what stands behind it and may be opened, is half changed; what else is wrong there is
    /// for others to say.
    static func requireSettled(_ path: String, _ options: ImageOptions) throws(StorageError) {
        do throws(StorageError) {
            _ = try openOne(DiskSources.Request(path: path, options: options), forWriting: false)
        } catch {
            if error.id.layer == UndoCode.layer || error.isCancellation { throw error }
        }
    }

    /// Rolls a cut-off change of one file back, in all files that it covers. Holds their locks meanwhile, and no longer:
    /// the image takes them again. Returns what a user should know of it.
    ///
    /// What a description or an image (`image`) led to is opened as what lies beside that, never through a link.
    @discardableResult
    static func recover(
        _ path: String, _ options: ImageOptions, beside image: String? = nil
    ) throws(StorageError) -> [String] {
        let place = options.records
        guard let record = try UndoRecord.read(for: path, in: place), record.isCutOff else { return [] }
        // By another of the file's names: whoever gave this one has not asked for that.
        guard record.path.hostBytes == place.recordPath(for: path).hostBytes else {
            throw record.hot(path, place)
        }
        var notes: [String] = []
        var neighbour = image == nil ? options.given.neighbours[path.hostBytes] : nil
        if let image, HostPath.directory(of: image).hostBytes == HostPath.directory(of: path).hostBytes {
            neighbour = (image, HostPath.name(of: path))
        }
        let file =
            if let neighbour {
                try HostFile.openSibling(of: neighbour.description, name: neighbour.name, access: .write)
            } else { try HostFile.open(path, access: .write) }
        let done = try UndoRecord.recover(
            file, in: place,
            kept: {
                notes.append(
                    "a change was cut off, and this is not the file that was changed, but another of its name or a copy; its undo "
                        + "record stays as \($0.hostBytes.shellText)")
            },
            shortening: { (_, length, isCutOff) throws(StorageError) in
                try DiskShortening.require(image ?? path, options, to: length, isCutOff: isCutOff)
            })
        switch done {
        case .none: break
        case .rolledBack: notes.append("an earlier change that was cut off was taken back first")
        case .completed:
            notes.append(
                "an earlier change that was cut off had been written to its end, or had not begun to go back: it stands"
            )
        }
        return notes
    }
}
