internal import Storage

/// What can be wrong with a place for an output.
enum OutputCode: String, LayerCode {
    static let layer = "output"

    case formatUnknown = "format-unknown"
    case isADirectory = "is-a-directory"
    case isTheParent = "is-the-parent"
    case isTheSource = "is-the-source"
    case noDirectory = "no-directory"
    case notADirectory = "not-a-directory"
    case notAFile = "not-a-file"
    case sameNameTwice = "same-name-twice"
}
