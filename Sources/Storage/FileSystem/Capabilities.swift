/// What a file system can change, and how it treats names: a plan counts on no more.
public struct Capabilities: Equatable, Sendable {
    /// Kinds of change; each is a protocol of the transaction. Moving contents is none of them: edits that can do without
    /// ask the transaction (`MovingTransaction`).
    public struct Changes: OptionSet, Hashable, Sendable {
        /// The bits.
        public let rawValue: UInt16
        /// From bits.
        public init(rawValue: UInt16) { self.rawValue = rawValue }
        /// `ContentsTransaction`.
        public static let contents = Changes(rawValue: 1)
        /// `RangesTransaction`.
        public static let ranges = Changes(rawValue: 2)
        /// `HolesTransaction`.
        public static let holes = Changes(rawValue: 4)
        /// `NamesTransaction`.
        public static let names = Changes(rawValue: 8)
        /// `LinksTransaction`.
        public static let links = Changes(rawValue: 16)
        /// `NodesTransaction`.
        public static let nodes = Changes(rawValue: 32)
        /// `AttributesTransaction`; `settableAttributes` says of which.
        public static let attributes = Changes(rawValue: 64)
        /// `ExtendedAttributesTransaction`.
        public static let extendedAttributes = Changes(rawValue: 128)
        /// `LabelTransaction`.
        public static let label = Changes(rawValue: 256)
        /// All of them.
        public static let all: Changes = [
            .contents, .ranges, .holes, .names, .links, .nodes, .attributes, .extendedAttributes, .label,
        ]
    }

    /// What can be changed.
    public var changes: Changes
    /// Which attributes `setAttributes` and a new file can be given.
    public var settableAttributes: AttributeSet
    /// The longest label, in the bytes that `setLabel` takes; 0 where there is none to set.
    public var labelByteLimit: Int
    /// Names that differ in case only are one name.
    public var foldsCase: Bool
    /// Why this volume allows less than others of its kind: "the file system uses bigalloc, so it can be read and not
    /// written".
    public var restriction: String?

    /// Capabilities; without arguments those of a file system that can only be read.
    public init(
        changes: Changes = [], settableAttributes: AttributeSet = [], labelByteLimit: Int = 0,
        foldsCase: Bool = false, restriction: String? = nil
    ) {
        self.changes = changes
        self.settableAttributes = settableAttributes
        self.labelByteLimit = labelByteLimit
        self.foldsCase = foldsCase
        self.restriction = restriction
    }

    /// Whether all of `wanted` can be changed.
    public func allows(_ wanted: Changes) -> Bool { changes.isSuperset(of: wanted) }
}
