internal import Storage

/// What can be wrong with recording a file's changes.
package enum RecordingCode: String, LayerCode {
    /// The name of the layer.
    package static let layer = "host file"

    /// Another transaction records it.
    case alreadyInTransaction = "already-in-transaction"
    /// It was not opened as one that can be recorded.
    case notRecorded = "not-recorded"
}
