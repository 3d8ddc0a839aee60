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
    }

    /// Takes back the newest change of the images at `paths`, over all the host files that it changed. A change
    /// that was cut off is rolled back. With `force` this is done whatever else has been written there since.
    ///
    /// Throws `refused`, nothing written, when something else has changed the same bytes since, or when the change
    /// covers further files that are not among these images'.
    public static func run(
        _ paths: [String], options: ImageOptions = ImageOptions(), force: Bool = false
    ) throws(StorageError) -> Result {
        var files: [HostFile] = []
        for name in try hostFiles(of: paths, options)
        where try UndoRecord.read(for: name, in: options.records) != nil {
            files.append(try HostFile.open(name, access: .write))
        }
        return Result(files: try UndoRecord.undo(files, force: force, in: options.records).map(\.path))
    }

    /// Throws the undo records of the images at `paths` away, damaged ones too, and leaves the images as they are.
    /// Returns the records' paths.
    ///
    /// Throws `refused`, nothing removed, when a change that was cut off covers further files that are not among these
    /// images', and `corrupt` when a file has a record's name and is none.
    public static func discard(
        _ paths: [String], options: ImageOptions = ImageOptions()
    ) throws(StorageError) -> [String] {
        // Locked: a change that goes on needs its record.
        var files: [HostFile] = []
        for name in try hostFiles(of: paths, options) {
            files.append(try HostFile.open(name, access: .write))
        }
        return try UndoRecord.discard(files, in: options.records)
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
            path, format: try options.imageFormat(), options: options.openOptions(.read))
        let others = image?.disk.map.hostFiles.map(\.path) ?? []
        return [own] + others.filter { $0 != own }
    }
}
