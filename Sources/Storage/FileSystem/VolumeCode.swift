/// What any file system says of its volume as a whole; errors name the kind of file system as their layer.
package enum VolumeCode: String, LayerCode {
    /// The name of the layer.
    package static let layer = "file system"

    /// The volume ends before what is needed of it.
    case truncatedDevice = "truncated-device"
    /// It was opened for reading.
    case readOnlyDevice = "read-only-device"
    /// An earlier change was not written whole.
    case commitFailed = "commit-failed"
    /// Another change was committed since the transaction began.
    case transactionStale = "transaction-stale"
    /// The transaction was prepared and takes no more.
    case transactionFinished = "transaction-finished"
    /// An operation of the transaction failed half-way.
    case transactionFailed = "transaction-failed"
}
