package import Storage

/// What a format knows: where guest bytes lie in host files. A driver answers in extents and never copies guest
/// data itself; `Image` does all reading and writing above it.
package protocol ImageMap: AnyObject, Sendable {
    /// The guest disk's size in bytes.
    var byteCount: UInt64 { get }
    /// The guest disk's logical sector size in bytes.
    var sectorSize: UInt32 { get }
    /// The files that extents index.
    var hostFiles: [any ByteFile] { get }

    /// The run at guest byte `offset` (below `byteCount`), as long as is cheaply known; `range.lowerBound ==
    /// offset`. Never `computed`. Safe from many threads.
    func extent(at offset: UInt64) throws(StorageError) -> Extent

    /// The run to read `count` bytes at `offset` from. Other than `extent(at:)` where asking costs more than reading: it may call a hole
    /// of a plain file plain.
    func extent(forReading count: Int, at offset: UInt64) throws(StorageError) -> Extent

    /// Where the byte at `offset`, which reads as zeros, has a place of its own in a host file all the same: a hole of a file that
    /// holds the disk as it is. Nil everywhere else.
    func hole(at offset: UInt64) -> (file: Int, offset: UInt64)?

    /// Fills `target` with guest bytes from `offset` on, all of which `extent(at:)` calls `memory`: they lie in no
    /// file as they are (a VHDX log that was not replayed yet).
    func readMemory(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError)
}

extension ImageMap {
    package func extent(forReading count: Int, at offset: UInt64) throws(StorageError) -> Extent {
        try extent(at: offset)
    }

    package func hole(at offset: UInt64) -> (file: Int, offset: UInt64)? { nil }

    package func readMemory(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        throw StorageError(
            .misuse, ImageCode.noMemory, "nothing of this image lies in memory", offset: offset)
    }
}

/// A format that can be written in place.
///
/// The contract that makes a power cut harmless: `allocate` chooses space, and nothing on disk refers to it. `Image`
/// writes the data there before it calls the map again. `commit` then makes the data durable and lets the tables point
/// at it, in the format's own order, with barriers between; a cut in between leaks space at worst.
package protocol WritableImageMap: ImageMap {
    /// Called once, before the first change of a session, and again after it threw. Looks at what the changes will rely
    /// on, and does what comes before all of them (a VHDX's header GUIDs). May write and flush.
    func beginWriting() throws(StorageError)

    /// Says how guest byte `offset` is to be written. What has to be on disk before that may happen is put there: a
    /// qcow2's autoclear bits go.
    func prepareWriting(at offset: UInt64) throws(StorageError) -> WriteTarget

    /// Chooses host space for guest bytes. `range` begins and ends at unit boundaries of `prepareWriting` (or at the
    /// disk's end). Returns space for a prefix of it, at least one unit. From then on `extent(at:)` answers with
    /// the new place; nothing on disk refers to it before `commit`. Space that was not there before reads as zeros.
    ///
    /// May make the file longer, and may commit what was allocated before, so that what is held in memory stays
    /// bounded: all of its data was written.
    func allocate(_ range: Range<UInt64>) throws(StorageError) -> Allocation

    /// Makes everything written so far durable, metadata after data. Ends with a barrier on all host files.
    func commit() throws(StorageError)
}

/// How a guest byte is to be written.
package enum WriteTarget: Equatable, Sendable {
    /// Guest bytes up to `end` lie in `hostFiles[file]` from `offset` on and may be overwritten there.
    case inPlace(file: Int, offset: UInt64, end: UInt64)
    /// Guest bytes up to `end` (a unit boundary, or the disk's end) have no place of their own; space comes in
    /// units of `unit` bytes, aligned to multiples of it.
    case allocate(unit: UInt64, end: UInt64)
}

/// Host space that a format chose for guest bytes.
package struct Allocation: Equatable, Sendable {
    /// Which guest bytes.
    package var range: Range<UInt64>
    /// Index into the map's host files.
    package var file: Int
    /// Where they go in it.
    package var offset: UInt64

    /// Makes an allocation.
    package init(range: Range<UInt64>, file: Int, offset: UInt64) {
        self.range = range
        self.file = file
        self.offset = offset
    }
}
