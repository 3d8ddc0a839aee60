/// What a change relies on and does not change yet: places that whoever else writes to the volume changes too, its superblock, its
/// maps of free space, the directories that are to get names. As long as they are as the change found them, nothing else has used
/// the space that it fills.
///
/// A change names them by reading them from its device within `reading`, right before its first write: whatever keeps a record of
/// writes sees where these reads arrive, below volume managers and image formats, and keeps what was there.
package enum Witnesses {
    @TaskLocal private static var areRead = false

    /// Whether what is read now is a witness.
    package static var isReading: Bool { areRead }

    /// Runs `body`, whose reads are of witnesses.
    package static func reading<Result>(
        _ body: () throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        // withValue passes untyped errors only; the result carries the typed one.
        let result: Swift.Result<Result, StorageError> = $areRead.withValue(true) {
            do throws(StorageError) {
                return .success(try body())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
