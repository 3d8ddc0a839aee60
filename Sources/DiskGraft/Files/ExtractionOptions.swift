internal import GuestTree

/// What of a guest's files is made on the host besides directories and contents. An image decides all of it, so the
/// default makes nothing that could do harm where it lies.
public struct ExtractionOptions: Sendable {
    /// Which symbolic links are made. None is ever followed.
    public enum Links: String, CaseIterable, Sendable {
        /// Those that stay within what is copied: relative, with ".." at their beginning only and no more of them than
        /// there are directories above.
        case inside
        /// All, as they are.
        case all
        /// None.
        case none
    }

    /// Symbolic links.
    public var links: Links
    /// Keep set-user-ID, set-group-ID and files' sticky bit; directories keep theirs anyway.
    public var keepsSetID: Bool
    /// Make device nodes, FIFOs and sockets.
    public var makesNodes: Bool

    /// Makes options.
    public init(links: Links = .inside, keepsSetID: Bool = false, makesNodes: Bool = false) {
        self.links = links
        self.keepsSetID = keepsSetID
        self.makesNodes = makesNodes
    }

    /// Whether a link that lies below `depth` directories of what is copied stays within it. Names before a ".." may
    /// be links themselves, whose parent is another directory than the text says.
    static func staysInside(_ target: [UInt8], depth: Int) -> Bool {
        let path = GuestPath(target)
        guard !path.isAbsolute else { return false }
        let parts = path.components.filter { $0 != GuestPath.here }
        let leading = parts.prefix { $0 == GuestPath.above }.count
        return leading <= depth && !parts.dropFirst(leading).contains(GuestPath.above)
    }
}
