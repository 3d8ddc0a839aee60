public import Storage

/// What can be wrong with taking a change back.
public enum UndoCode: String, LayerCode {
    /// The name of the layer.
    public static let layer = "undo record"

    /// The record would not outlast a power cut.
    case recordInMemory = "record-in-memory"
    /// No record can be written where it belongs.
    case recordNotMade = "record-not-made"
    /// A change was cut off and not taken back yet.
    case hot
    /// The file is marked as half changed, and no record of it is there.
    case recordMissing = "record-missing"
    /// The record is not as it was written.
    case damaged
    /// A file has a record's name and is none.
    case notARecord = "not-a-record"
    /// A record of another version.
    case otherVersion = "other-version"
    /// A finished change lies in a record below changes of another file.
    case belowAnother = "below-another"
    /// Another file of the change, or its record, is out of reach.
    case siblingMissing = "sibling-missing"
    /// A block device is another one than the one that was changed.
    case otherDevice = "other-device"
    /// The file that the record is of has another name now.
    case renamedFile = "renamed-file"
    /// One file of a change is complete and another half changed: they were not restored from one time.
    case otherTime = "other-time"
    /// The change covers a file that was not given.
    case siblingNotGiven = "sibling-not-given"
    /// After a cut, contents that are neither from before the change nor of it.
    case unknownContents = "unknown-contents"
    /// After a cut, a length that the file had at no time of the change.
    case unknownLength = "unknown-length"
    /// After a finished change, contents or a length that it did not leave.
    case changedSince = "changed-since"
    /// The disk would become shorter than what lies on it.
    case usedSince = "used-since"
}
