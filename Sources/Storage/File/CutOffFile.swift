/// A file that has lost its end, for reading what is left: it is said to go on for a while behind it, where nothing can be read,
/// so that a unit that the end cuts is a unit all the same, of which the first part is there.
package final class CutOffFile: ReadAloneFile {
    private let base: any ByteFile
    /// Bytes that it is said to have behind its end.
    private let missing: UInt64
    package var path: String { base.path }
    package var identity: FileIdentity? { base.identity }
    package var byteCount: UInt64 { base.byteCount +? missing ?? base.byteCount }
    package var sectorSize: UInt32 { base.sectorSize }
    package var incarnation: FileIncarnation? { base.incarnation }
    package var allocatedByteCount: UInt64? { base.allocatedByteCount }
    package var modificationTime: Int64? { base.modificationTime }

    /// `base` as one that may have lost up to `missing` bytes, a unit of its format.
    package init(_ base: any ByteFile, missing: UInt64) {
        self.base = base
        self.missing = missing
    }

    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try base.read(into: &target, at: offset)
    }

    /// Behind the end of what is there all is data, which cannot be read.
    package func nextDataOrHole(at offset: UInt64) throws(StorageError) -> (isData: Bool, end: UInt64) {
        guard offset < base.byteCount else { return (true, max(byteCount, offset)) }
        return try base.nextDataOrHole(at: offset)
    }
}
