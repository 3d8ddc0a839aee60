package import Storage

/// What holds the writes of an edit back until it is committed. It has begun when an edit gets it.
package protocol ChangeRecording: AnyObject {
    /// Hands over what the disks above still hold: nothing is left there to be written after `commit`.
    func flush() throws(StorageError)
    /// Makes everything durable that was recorded. When it throws, every image is as it was before, or the error says
    /// that it is not yet.
    func commit() throws(StorageError)
    /// Takes everything back, and returns the error that was the reason, which says so when that did not come to its end.
    func rollBack(after error: StorageError) -> StorageError
    /// Takes everything back.
    func rollBack()
}
