/// A file system that can be read. Safe from many threads. Nothing is written by opening or reading.
public protocol FileSystem: FileTree, Sendable {
    /// Kind, UUID, label, sizes.
    var identity: VolumeIdentity { get }
    /// What the reader of a report should know: a journal replayed in memory, a checksum ignored…
    var warnings: [String] { get }
    /// What can be changed in it; nothing, unless it says so. Known without a look at more than opening looks at, and
    /// whether or not the device was opened for writing.
    var capabilities: Capabilities { get }
}

extension FileSystem {
    /// The identity's.
    public var kind: VolumeIdentity.Kind { identity.kind }
    /// None.
    public var warnings: [String] { [] }
    /// Those of a file system that can only be read.
    public var capabilities: Capabilities { Capabilities() }
}
