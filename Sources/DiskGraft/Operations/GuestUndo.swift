internal import ImageFormats
public import Storage

/// Takes the newest change of a guest's disks back.
public enum GuestUndo {
    /// What was done.
    public struct Result: Sendable {
        /// Files whose newest change was taken back.
        public var files: [String]
    }

    /// Takes back the newest change of the images at `paths`, over all the host files that it changed. A change
    /// that was cut off is rolled back.
    ///
    /// Throws `refused`, nothing written, when something else has changed the same bytes since, or when the change
    /// covers further files that are not among these images'.
    public static func run(_ paths: [String], options: ImageOptions = ImageOptions()) throws(StorageError)
        -> Result
    {
        var names: [String] = []
        for path in paths {
            for name in try hostFiles(of: path, options) where !names.contains(name) { names.append(name) }
        }
        var files: [HostFile] = []
        for name in names where try UndoRecord.read(for: name) != nil {
            files.append(try HostFile.open(name, access: .write))
        }
        return Result(files: try UndoRecord.undo(files).map(\.path))
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
