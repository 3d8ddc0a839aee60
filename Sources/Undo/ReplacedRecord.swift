internal import HostIO
public import Storage

/// The undo record of a name whose file another one is about to replace: it says nothing of the new file, and goes with the
/// old one.
public struct ReplacedRecord: Sendable {
    private let path: String
    /// The file lives on under another name: so does what can be taken back of it.
    private let isKept: Bool

    /// Looks for the record of the file at `file`, or of one that had this name. Nil when there is none.
    ///
    /// Throws `refused`, code "hot", when the record could still mend a change that was cut off.
    public init?(ofFile file: String, in place: UndoPlace = UndoPlace()) throws(StorageError) {
        let own = place.recordPath(for: file)
        var found: UndoRecord?
        if HostDirectory.exists(own) {
            found = try UndoRecord.newest(in: HostFile.open(own, locking: .ignore, followLinks: false))
        }
        let any = HostDirectory.exists(file) ? try UndoRecord.read(for: file, in: place) : found
        guard any?.isCutOff != true else {
            throw StorageError(
                .refused, UndoCode.hot,
                "an earlier change of this file was cut off; take it back, or throw its record away, before the file is "
                    + "replaced", path: file, remedies: [.undo, .discardUndo])
        }
        guard HostDirectory.exists(own) else { return nil }
        path = own
        let names = HostFile.names(of: file)
        isKept = found.map { $0.header.identity != names?.incarnation || names?.count != 1 } ?? false
    }

    /// Takes the record away, after the new file has the name: a cut in between leaves a record that is known to be of another
    /// file. The directory is still to be synced.
    public func retire() throws(StorageError) {
        guard isKept else { return try HostDirectory.remove(path) }
        // Found by what it says of its file.
        let other = "\(path.dropLast(".undo".count)).\(try SystemRandom.bytes(4).hexString).undo"
        try HostDirectory.rename(path, to: other)
    }
}
