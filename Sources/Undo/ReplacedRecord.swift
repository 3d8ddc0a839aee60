internal import HostIO
public import Storage

/// The undo record of a name whose file another one is about to replace: it says nothing of the new file, and goes with the
/// old one.
public struct ReplacedRecord: Sendable {
    private let path: String
    /// The file lives on under another name, or elsewhere: so does what can be taken back of it.
    private let isKept: Bool
    /// The file that is replaced.
    private let incarnation: FileIncarnation?

    /// Looks for the record of the file at `file`, or of one that had this name. Nil when there is none.
    ///
    /// Throws `refused`, code "hot", when the record could still mend a change of the file that was cut off.
    public init?(ofFile file: String, in place: UndoPlace = UndoPlace()) throws(StorageError) {
        let own = place.recordPath(for: file)
        var found: UndoRecord?
        let exists = try HostDirectory.isThere(own)
        if exists {
            found = try UndoRecord.newest(in: HostFile.open(own, locking: .ignore, followLinks: false))
        }
        // Without a file there is none to be mended here: the record stays for the one that was moved away.
        let any = try HostDirectory.isThere(file) ? UndoRecord.read(for: file, in: place) : nil
        let names = try HostFile.names(of: file)
        if let any, any.isCutOff {
            throw any.isOf(names?.incarnation)
                ? StorageError(
                    .refused, UndoCode.hot,
                    "an earlier change of this file was cut off; take it back, or throw its record away, before the file is "
                        + "replaced", path: file, remedies: [.undo, .discardUndo])
                : StorageError(
                    .refused, UndoCode.hot,
                    "the undo record \(any.path.hostBytes.shellText) is of another file, of which this one has the name or is a copy; a "
                        + "change of that one was cut off, and the record mends it, wherever it is",
                    path: file, remedies: [.setUndoAside])
        }
        guard exists else { return nil }
        path = own
        incarnation = names?.incarnation
        isKept = found != nil && names?.count != 1
    }

    /// Takes the record away, after the new file has the name: a cut in between leaves a record that is known to be of another
    /// file. The directory is still to be synced.
    public func retire() throws(StorageError) {
        // Found by what it says of its file.
        let kept = try UndoRecord.keepOthers(path) { !isKept && $0.isOf(incarnation) }
        if kept == nil { try HostDirectory.remove(path) }
    }
}
