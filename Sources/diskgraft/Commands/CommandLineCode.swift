import DiskGraft

/// What can be wrong with the arguments, before they are looked at.
enum CommandLineCode: String, LayerCode {
    static let layer = "command line"

    /// The host does not show them.
    case unreadable
}
