internal import GuestTree
internal import Storage

/// What no copy on the host has of the files it was made of, counted, to be said once.
struct ExtractionLosses {
    private var linkedFiles: Set<FileKey> = []
    private var furtherNames = 0
    private var withAttributes = 0
    private var withLists = 0

    /// Counts a file that is copied, and its extended attributes.
    mutating func count(_ file: GuestFile, _ attributes: [ExtendedAttribute]) {
        if file.attributes.type != .directory, file.attributes.linkCount > 1,
            !linkedFiles.insert(file.key).inserted
        {
            furtherNames += 1
        }
        let lists = attributes.count { AccessControl($0) != nil }
        if lists > 0 { withLists += 1 }
        if attributes.count > lists { withAttributes += 1 }
    }

    /// A sentence for each kind of loss.
    var sentences: [String] {
        [
            furtherNames > 0
                ? "files of several names were copied once for each: \(furtherNames) further \(furtherNames == 1 ? "copy" : "copies")"
                : nil,
            withLists > 0 ? "access control lists were not copied: \(Self.files(withLists)) one" : nil,
            withAttributes > 0
                ? "extended attributes were not copied: \(Self.files(withAttributes)) some" : nil,
        ].compactMap { $0 }
    }

    private static func files(_ count: Int) -> String { count == 1 ? "1 file has" : "\(count) files have" }
}

/// The mode bits that a file gets on the host.
struct HostPermissions {
    /// The low twelve mode bits.
    let bits: UInt16
    /// Those of the guest's that are left out, of set-user-ID, set-group-ID and sticky.
    let leftOut: UInt16

    /// Without an access control list the group's bits are the owning group's own, as far as the list's mask has
    /// them: what stands in the mode for the group is the mask, which is for all that the list names. A list that
    /// could not be read gives the group nothing. A directory keeps its sticky bit: whoever may write to it could
    /// remove everybody's files without.
    init(_ attributes: FileAttributes, list: AccessControl?, isListUnknown: Bool, keepsSetID: Bool) {
        var bits = attributes.permissions & 0o777
        if let list {
            func permissions(_ tag: AccessControl.Tag) -> UInt16? {
                list.entries.first { $0.tag == tag }?.permissions
            }
            bits &= 0o707 | ((permissions(.owningGroup) ?? 0) & (permissions(.mask) ?? 7) & 7) << 3
        } else if isListUnknown {
            bits &= 0o707
        }
        let kept: UInt16 = keepsSetID ? 0o7000 : attributes.type == .directory ? 0o1000 : 0
        self.bits = bits | attributes.permissions & kept
        leftOut = attributes.permissions & 0o7000 & ~kept
    }

    /// The bits that are left out, for people; nil where there are none.
    var leftOutWords: String? {
        let names = [(0o4000, "set-user-ID"), (0o2000, "set-group-ID"), (0o1000, "sticky")]
            .filter { Int(leftOut) & $0.0 != 0 }.map(\.1)
        return names.isEmpty
            ? nil : "its \(names.joined(separator: " and ")) bit\(names.count > 1 ? "s are" : " is") left out"
    }
}
