internal import Storage

/// What can be wrong with a list as text.
enum AccessControlCode: String, LayerCode {
    static let layer = "acl"

    case badAcl = "bad-acl"
}
