internal import HostIO
internal import ImageFormats
public import Storage
internal import Undo

/// Takes the newest change of a guest's disks back.
public enum GuestUndo {
    /// What was done.
    public struct Result: Sendable {
        /// Files whose newest change was taken back.
        public var files: [String]
        /// Those of them that held what they held before one or several changes, since a backup was put back or the change had not
        /// got to them, and the number of these: nothing was changed in them.
        public var older: [(file: String, count: Int)] = []
        /// Records that stay under another name, for the file that was changed: an image of these is another file or a copy.
        public var keptRecords: [String] = []
        /// Files with several names, or that may have had another one, of which no record was found.
        public var severalNames: [String] = []
        /// Where the records of block devices were looked for in vain: they do not lie beside these.
        public var missingRecords: [String] = []
        /// What taking a change back does to images that have one of these behind them.
        public var warnings: [String] = []
        /// What is damaged after bytes were put back over what something else had written, in tables and file systems: a
        /// sentence each.
        public var damage: [String] = []
        /// Why not all of that could be told; the images' own tables were checked as far as `damage` has it.
        public var unchecked: StorageError?
    }

    /// Takes back the newest change of the images at `paths`, over all the host files that it changed. A change
    /// that was cut off is rolled back. With `force` this is done whatever else has been written there since; with
    /// `otherFile` too even to an image that is not the file that was changed.
    ///
    /// Throws `refused`, nothing written, when something else has changed the same bytes since, or when the change
    /// covers further files that are not among these images'.
    public static func run(
        _ paths: [String], options: ImageOptions = ImageOptions(), force: Bool = false,
        otherFile: Bool = false
    ) throws(StorageError) -> Result {
        var files: [any ByteFile] = []
        var missing: [String] = []
        var severalNames: [String] = []
        let use = KernelUse()
        let images = try hostFiles(of: paths, options)
        for name in distinct(images) {
            if try UndoRecord.read(for: name, in: options.records) != nil {
                files.append(try RecordedFile.open(name, among: use))
            } else {
                let file = try HostFile.open(name, among: use)
                if file.hasFixedLength {
                    missing.append(options.records.recordPath(for: name))
                } else if let count = file.nameCount, count > 1 {
                    severalNames.append(name)
                }
            }
        }
        var kept: [String] = []
        var older: [(file: String, count: Int)] = []
        let undone: [any ByteFile]
        do throws(StorageError) {
            undone = try UndoRecord.undo(
                files, force: !force ? .no : otherFile ? .anyFile : .sameFile, in: options.records,
                kept: { kept.append($0) }, older: { older.append(($0.path, $1)) },
                shortening: { (changed, length, isCutOff) throws(StorageError) in
                    // Of a change that makes a disk longer all files are of one.
                    for image in images
                    where image.files.contains(where: { name in
                        changed.contains { $0.hostBytes == name.hostBytes }
                    }) {
                        try DiskShortening.require(
                            image.path, image.options,
                            among: images.filter { $0.path.hostBytes != image.path.hostBytes }
                                .map { ($0.path, $0.options) }, to: length, isCutOff: isCutOff)
                    }
                })
        } catch {
            throw try weighing(error, paths, options)
        }
        var result = Result(
            files: undone.map(\.path), older: older, keptRecords: kept, severalNames: severalNames,
            missingRecords: missing)
        if !undone.isEmpty {
            // Disks, where a description was given.
            result.warnings = try DiskSources(paths, options, verifies: false).requests.compactMap {
                request in
                let path = request.path
                return DiskImage.childWarning(path).map {
                    "\(path.hostBytes.shellText): \($0); what was made before the change shows right again, and what was made "
                        + "after it does not any more"
                }
            }
        }
        // Old and new next to each other: of the image's tables, and of every file system in it.
        if force, !undone.isEmpty {
            let found = try damage(paths, options)
            result.damage = found.sentences
            result.unchecked = found.unchecked
        }
        return result
    }

    /// What the images hold that is damaged, a sentence each; and why not all of it can be told.
    private static func damage(
        _ paths: [String], _ options: ImageOptions
    ) throws(StorageError) -> (sentences: [String], unchecked: StorageError?) {
        var options = options
        options.verifiesDigests = false
        // The locks are held here.
        options.ignoresLocks = true
        do throws(StorageError) {
            let check = try GuestCheck.run(paths, options: options)
            if check.checkedNothing {
                let nothing = "nothing in it could be checked: no table, and no file system that is read"
                return (paths.map { "\($0.hostBytes.shellText): \(nothing)" }, nil)
            }
            let bound = check.findings.first { $0.finding.isOfBounds && $0.finding.severity == .warning }
            return (
                sentences(of: check),
                bound.map {
                    .memoryBound($0.finding.layer, $0.finding.message, structure: $0.finding.structure)
                }
            )
        } catch {
            guard !error.isCancellation else { throw error }
            // What a parent holds, for one, is not here; the image's own tables are.
            do throws(StorageError) {
                return (sentences(of: try GuestCheck.ofTables(paths, options: options)), error)
            } catch let other {
                guard !other.isCancellation else { throw other }
                return ([], error)
            }
        }
    }

    private static func sentences(of check: GuestCheck) -> [String] {
        check.findings.filter { $0.finding.severity == .damage }
            .map { found in
                let place = found.volume.map { " \($0)" } ?? ""
                return
                    "\(found.image.hostBytes.shellText)\(place): \(found.finding.layer): \(found.finding.message)"
            }
    }

    /// A refusal to put old bytes over what something else has written, with the way out first that writes nothing; and whether the
    /// images are sound as they are, so that nothing needs to be taken back.
    private static func weighing(
        _ error: StorageError, _ paths: [String], _ options: ImageOptions
    ) throws(StorageError) -> StorageError {
        let codes: [UndoCode] = [.changedSince, .unknownContents, .unknownLength, .usedSince]
        // Old bytes of another file are of no use to this one, however it looks.
        guard codes.contains(where: error.isCode), !error.remedies.contains(.setUndoAside) else {
            return error
        }
        var error = error
        var options = options
        options.readsUnsettled = true
        // What changes no byte of the image comes first: what is forced is a mixture that nobody can take back.
        error.remedies.removeAll { $0 == .discardUndo }
        let found = try damage(paths, options)
        let isSound = found.sentences.isEmpty && found.unchecked == nil
        error.remedies.insert(isSound ? .discardUndoOfSound : .discardUndo, at: 0)
        return error
    }

    /// Throws away what takes the newest change of the images at `paths` back, damaged records as a whole, and leaves the images as
    /// they are. What they
    /// hold of other files, which had the images' names before, is set aside, unless `otherFile` says that it is meant too.
    ///
    /// Throws `refused`, nothing removed, when a change that was cut off covers further files that are not among these
    /// images', and `corrupt` when a file has a record's name and is none.
    public static func discard(
        _ paths: [String], options: ImageOptions = ImageOptions(), otherFile: Bool = false
    ) throws(StorageError) -> Discarded {
        // Locked: a change that goes on needs its record.
        var files: [any ByteFile] = []
        let use = KernelUse()
        for name in distinct(try hostFiles(of: paths, options)) {
            files.append(try RecordedFile.open(name, among: use))
        }
        let discarded = try UndoRecord.discard(files, otherFile: otherFile, in: options.records)
        return Discarded(
            records: discarded.records, shortened: discarded.shortened, unmarked: discarded.unmarked,
            cutOff: discarded.cutOff,
            halfChanged: discarded.halfChanged.map { HalfChanged(path: $0.path, offset: $0.offset) },
            kept: discarded.kept)
    }

    /// What `discard` did.
    public struct Discarded: Sendable {
        /// Paths of the records that were thrown away.
        public let records: [String]
        /// Paths of records that stay for the changes before the newest, which alone was thrown away.
        public let shortened: [String]
        /// Paths of files that were marked as half changed, without a record of that, and are not any more.
        public let unmarked: [String]
        /// Those of the records whose change was cut off: their files may be half changed.
        public let cutOff: [String]
        /// Files that may be half changed, and stay so.
        public let halfChanged: [HalfChanged]
        /// Records that stay, under another name, for the files that they are of: none of these images.
        public let kept: [String]
    }

    /// A file that may be half changed.
    public struct HalfChanged: Sendable {
        /// Its path.
        public let path: String
        /// The first byte that is not as the change would have left it, where that is known.
        public let offset: UInt64?
    }

    /// An image, and the files of the host that it consists of.
    private struct Files {
        let path: String
        let options: ImageOptions
        let files: [String]
    }

    /// The files of all of them, each once.
    private static func distinct(_ images: [Files]) -> [String] {
        var names: [String] = []
        // To strings two spellings of a letter are one.
        for name in images.flatMap(\.files)
        where !names.contains(where: { $0.hostBytes == name.hostBytes }) {
            names.append(name)
        }
        return names
    }

    private static func hostFiles(
        of paths: [String], _ options: ImageOptions
    ) throws(StorageError) -> [Files] {
        var images: [Files] = []
        // What was changed has no digest of its own any more.
        for request in try DiskSources(paths, options, verifies: false).requests {
            let (path, options) = (request.path, request.options)
            try options.requireLocks(path)
            if options.given.members[path.hostBytes] != nil { throw GivenFiles.readOnly(path) }
            images.append(Files(path: path, options: options, files: try hostFiles(of: path, options)))
        }
        return images
    }

    /// The files that an image consists of; the one named, when it is in no state to be opened.
    private static func hostFiles(of path: String, _ options: ImageOptions) throws(StorageError) -> [String] {
        let own = try HostFile.open(path).path
        let image = try? ImageProbe.open(
            path, format: options.format, options: options.openOptions(.read, unsettled: true))
        let others = image?.disk.map.hostFiles.map(\.path) ?? []
        return [own] + others.filter { $0.hostBytes != own.hostBytes }
    }
}
