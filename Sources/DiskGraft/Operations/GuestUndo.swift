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
        /// Records that stay under another name, for the file that was changed: an image of these is another file or a copy.
        public var keptRecords: [String] = []
        /// Files with several names, or that may have had another one, of which no record was found.
        public var severalNames: [String] = []
        /// Where the records of block devices were looked for in vain: they do not lie beside these.
        public var missingRecords: [String] = []
        /// What the images' own tables say after bytes were put back over what something else had written: a sentence each.
        public var damage: [String] = []
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
        for name in try hostFiles(of: paths, options) {
            if try UndoRecord.read(for: name, in: options.records) != nil {
                files.append(try RecordedFile.open(name))
            } else {
                let file = try HostFile.open(name)
                if file.hasFixedLength {
                    missing.append(options.records.recordPath(for: name))
                } else if let count = file.nameCount, count > 1 {
                    severalNames.append(name)
                }
            }
        }
        var kept: [String] = []
        let undone = try UndoRecord.undo(
            files, force: !force ? .no : otherFile ? .anyFile : .sameFile, in: options.records
        ) { kept.append($0) }.map(\.path)
        var result = Result(
            files: undone, keptRecords: kept, severalNames: severalNames, missingRecords: missing)
        // Tables of then name nothing of what was written since, or what is gone.
        if force, !undone.isEmpty {
            for path in paths {
                // Its locks are held here.
                let file = try HostFile.open(path, locking: .ignore)
                try ImageProbe.check(file, format: options.format) {
                    guard $0.severity == .damage else { return }
                    result.damage.append("\(path.hostBytes.shellText): \($0.message)")
                }
            }
        }
        return result
    }

    /// Throws the undo records of the images at `paths` away, damaged ones too, and leaves the images as they are. What they
    /// hold of other files, which had the images' names before, is set aside, unless `otherFile` says that it is meant too.
    ///
    /// Throws `refused`, nothing removed, when a change that was cut off covers further files that are not among these
    /// images', and `corrupt` when a file has a record's name and is none.
    public static func discard(
        _ paths: [String], options: ImageOptions = ImageOptions(), otherFile: Bool = false
    ) throws(StorageError) -> Discarded {
        // Locked: a change that goes on needs its record.
        var files: [any ByteFile] = []
        for name in try hostFiles(of: paths, options) {
            files.append(try RecordedFile.open(name))
        }
        let discarded = try UndoRecord.discard(files, otherFile: otherFile, in: options.records)
        return Discarded(
            records: discarded.records, unmarked: discarded.unmarked, cutOff: discarded.cutOff,
            kept: discarded.kept)
    }

    /// What `discard` did.
    public struct Discarded: Sendable {
        /// Paths of the records that were thrown away.
        public let records: [String]
        /// Paths of files that were marked as half changed, without a record of that, and are not any more.
        public let unmarked: [String]
        /// Those of the records whose change was cut off: their files may be half changed.
        public let cutOff: [String]
        /// Records that stay, under another name, for the files that they are of: none of these images.
        public let kept: [String]
    }

    private static func hostFiles(
        of paths: [String], _ options: ImageOptions
    ) throws(StorageError) -> [String] {
        var names: [String] = []
        for path in paths {
            try options.requireLocks(path)
            for name in try hostFiles(of: path, options) where !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// The files that an image consists of; the one named, when it is in no state to be opened.
    private static func hostFiles(of path: String, _ options: ImageOptions) throws(StorageError) -> [String] {
        let own = try HostFile.open(path).path
        let image = try? ImageProbe.open(
            path, format: options.format, options: options.openOptions(.read, unsettled: true))
        let others = image?.disk.map.hostFiles.map(\.path) ?? []
        return [own] + others.filter { $0 != own }
    }
}
