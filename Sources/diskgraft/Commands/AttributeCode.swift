import DiskGraft

/// What can be wrong with an extended attribute as text.
enum AttributeCode: String, LayerCode {
    static let layer = "xattr"

    case badValue = "bad-value"
    case noAttribute = "no-attribute"
}
