internal import Storage

/// What can be wrong with how an image is opened, made or resized.
enum DiskCode: String, LayerCode {
    static let layer = "image"

    case forceShareWrites = "force-share-writes"
    case hasChildren = "has-children"
    case noChildren = "no-children"
    case noSize = "no-size"
    case noWholeSectors = "no-whole-sectors"
    case notResized = "not-resized"
    case notWritable = "not-writable"
    case parentAmbiguous = "parent-path-ambiguous"
    case parentFormat = "parent-format"
    case parentLeftOver = "parent-left-over"
    case parentMustBeRead = "parent-must-be-read"
    case tooLarge = "too-large"
    case unknownFormat = "unknown-format"
    case unknownSizeRule = "unknown-size-rule"
}
