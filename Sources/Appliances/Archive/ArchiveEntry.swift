/// A member of an archive.
package struct ArchiveEntry: Equatable, Sendable {
    /// Its name as it is written, without "./" before it.
    package var name: [UInt8]
    /// What it is.
    package var kind: Kind
    /// Where its bytes lie in the archive.
    package var range: Range<UInt64>
    /// How many bytes more it had than the archive has of it: of an archive that is cut off, the last member.
    package var missingByteCount: UInt64 = 0

    /// What a member is.
    package enum Kind: Equatable, Sendable {
        /// A file.
        case file
        /// A directory.
        case directory
        /// A link, a device, or anything else.
        case other
    }
}
