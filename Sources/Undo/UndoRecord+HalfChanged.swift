internal import HostIO
internal import Storage

// What is left half changed where a record is thrown away.

extension UndoRecord {
    /// A file that may be half changed.
    public struct HalfChanged: Sendable, Equatable {
        /// Its path.
        public var path: String
        /// The first byte that is not as the change would have left it, where that is known.
        public var offset: UInt64?
    }

    /// What is left half changed of the cut-off change of `file`, once its record is gone: the file itself, where it is not as
    /// before, and others of the change that have no record.
    func halfChanged(
        _ file: any ByteFile, among files: [any ByteFile], in place: UndoPlace
    ) throws(StorageError) -> [HalfChanged] {
        guard isCutOff else { return [] }
        var found: [HalfChanged] = []
        do throws(StorageError) {
            let log = try readLog()
            let comparison = try UndoComparison(file, self, log)
            var isAsBefore = comparison.isOld
            if !isAsBefore { isAsBefore = try countOfChangesBefore(file, log) != nil }
            if !isAsBefore {
                found.append(HalfChanged(path: file.path, offset: comparison.firstNotNew))
            }
            let search = SiblingSearch(files, in: place)
            for sibling in comparison.siblings {
                guard let path = try search.path(of: sibling, namedBy: self, of: file),
                    try HostDirectory.isThere(path), !HostDirectory.isSame(path, file.path),
                    try Self.readIfThere(for: path, transactionID: transactionID, in: place) == nil
                else { continue }
                found.append(HalfChanged(path: path, offset: nil))
            }
        } catch {
            guard error.isCode(UndoCode.damaged) else { throw error }
            found.append(HalfChanged(path: file.path, offset: nil))
        }
        return found
    }
}
