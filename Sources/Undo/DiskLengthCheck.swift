public import Storage

/// Asked before taking a change back makes the guest's disk shorter, which lies in the host files at `paths`: whether it may have
/// `byteCount` bytes again, as far as what lies on it says how long it is. What host files alone tell was compared before. `isCutOff`:
/// the change has not come to its end, and some of its own bytes may lie behind there.
///
/// Throws `refused`, code "used-since", where something on the disk counts on more.
public typealias DiskLengthCheck = (
    _ paths: [String], _ byteCount: UInt64, _ isCutOff: Bool
) throws(StorageError) -> Void
