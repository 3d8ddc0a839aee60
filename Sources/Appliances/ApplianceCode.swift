internal import Storage

/// What can be wrong with an appliance: a machine's description and its disks in one archive.
package enum ApplianceCode: String, LayerCode {
    package static let layer = "appliance"

    /// A header of the archive is damaged.
    case damagedHeader = "damaged-header"
    /// A member says that it is longer than the archive.
    case memberTooLong = "member-too-long"
    /// Two members have one name.
    case sameNameTwice = "same-name-twice"
    /// A name leads out of the archive, or is none.
    case nameLeadsOut = "name-leads-out"
    /// A member that is named is a link, a device, a directory.
    case notAFile = "not-a-file"
    /// A member of a kind that is not read, as one with holes.
    case memberKind = "member-kind"
    /// More members than any appliance has.
    case tooManyMembers = "too-many-members"
    /// A member that is named is not there.
    case missingMember = "missing-member"
    /// There is no description, or there are several.
    case description
    /// A manifest cannot be read.
    case badManifest = "bad-manifest"
    /// A digest is not that of what is there.
    case wrongDigest = "wrong-digest"
    /// A disk is compressed in a way that is not read.
    case compression
    /// An extent of Proxmox's backup is damaged, or is not there.
    case badExtent = "bad-extent"
    /// A backup of Proxmox's in a version that is not read.
    case vmaVersion = "vma-version"
    /// The pieces of a disk contradict each other or its size.
    case badPieces = "bad-pieces"
}

extension StorageError {
    /// What is wrong with an appliance.
    static func appliance(
        _ kind: Kind, _ code: ApplianceCode, _ message: String, structure: String? = nil,
        offset: UInt64? = nil
    ) -> StorageError {
        StorageError(kind, code, message, structure: structure, offset: offset)
    }
}
