internal import Storage

/// What is no reason to refuse putting old bytes back.
public enum UndoForce: Sendable {
    /// Everything is.
    case no
    /// That something else has written to the file that was changed.
    case sameFile
    /// That either, and that it is not that file but one that has its name, a copy or something else.
    case anyFile

    func reaches(_ record: UndoRecord, _ file: any ByteFile) -> Bool {
        switch self {
        case .no: false
        case .sameFile: record.isOf(file)
        case .anyFile: true
        }
    }
}
