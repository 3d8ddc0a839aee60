package import Storage

/// An entry of an archive in an image, as it stands there.
package struct InitramfsEntry: Sendable, Equatable {
    /// Its path from the root, without "./" before it; empty for the root itself.
    package var path: [UInt8]
    /// What it is.
    package var type: FileType
    /// The low twelve mode bits.
    package var permissions: UInt16
    /// User.
    package var owner: UInt32
    /// Group.
    package var group: UInt32
    /// How many bytes of contents follow the header: of several names of one file one has them.
    package var size: UInt64
    /// Where a symbolic link points.
    package var target: [UInt8]?
    /// Of a device node.
    package var deviceNumber: FileAttributes.DeviceNumber?
    /// Which member it lies in, an index into `InitramfsContents.members`.
    package var member: Int
    /// Whether Linux makes a file of it: not where its directory is missing, or something else is in its place.
    package var isUnpacked: Bool
}

/// A part of an image that is unpacked by itself: an archive, or a compressed stream of archives.
package struct InitramfsMember: Sendable, Equatable {
    /// Where it begins in the image.
    package var offset: UInt64
    /// How many bytes of the image it has.
    package var byteCount: UInt64
    /// How it is compressed; nil where it is not.
    package var codec: CodecID?
    /// How many bytes it decodes to; the same as `byteCount` where it is not compressed.
    package var decodedByteCount: UInt64
    /// Its entries, in `InitramfsContents.entries`.
    package var entries: Range<Int>
    /// It holds what Linux looks for before anything is unpacked, microcode or ACPI tables, and nothing else.
    package var isEarly: Bool
}

/// A file of the tree that Linux unpacks: what the entries come to, later ones over earlier ones.
package struct InitramfsFile: Sendable, Equatable {
    /// Its path from the root, with the links on the way resolved.
    package var path: [UInt8]
    /// What it is.
    package var type: FileType
    /// The low twelve mode bits.
    package var permissions: UInt16
    /// How many bytes it has.
    package var size: UInt64
    /// Where a symbolic link points.
    package var target: [UInt8]?
    /// The entry that made it; nil for what is there before anything is unpacked.
    package var entry: Int?
}
