internal import Storage

/// What can be wrong with an archive.
package enum TarCode: String, LayerCode {
    package static let layer = "tar"

    case badArchive = "bad-archive"
    case compressed
    case emptyName = "empty-name"
    case memberType = "member-type"
    case nameLeadsOut = "name-leads-out"
    case nameTooDeep = "name-too-deep"
    case sparse
    case throughLink = "through-link"
}
