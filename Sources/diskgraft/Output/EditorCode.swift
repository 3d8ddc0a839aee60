import DiskGraft

/// What can go wrong with an editor.
enum EditorCode: String, LayerCode {
    static let layer = "editor"

    case editorFailed = "editor-failed"
}
