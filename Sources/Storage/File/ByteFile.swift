/// Bytes that hold an image or an extent of one: a file of the host, a part of another file, bytes in memory. Formats
/// and undo records know this and nothing of where the bytes come from.
///
/// It is read from many threads beside the one owner that writes: a read shows of a write that goes on meanwhile old bytes
/// or new ones, perhaps both, and of one that has ended the new ones.
///
/// What only some files can do has an answer that every file can give: a file that cannot share blocks says so, and one that
/// knows nothing of holes is all data. A decorator passes those on.
public protocol ByteFile: AnyObject, Sendable {
    /// What it is called: a path in `String.init(hostBytes:)`'s form where it has one. For messages, and for files that
    /// are known by the name of this one.
    var path: String { get }
    /// Whether it may be changed.
    var access: FileAccess { get }
    /// What it is known by among open files; nil where nothing but the object tells it.
    var identity: FileIdentity? { get }
    /// The length in bytes.
    var byteCount: UInt64 { get }
    /// Whether it can become neither longer nor shorter, as a block device.
    var hasFixedLength: Bool { get }
    /// The logical sector size in bytes; 512 unless a device has another.
    var sectorSize: UInt32 { get }

    /// Fills `target` from byte `offset` on. Throws `corrupt`, code "short-file", past the end; no bytes are there
    /// anywhere.
    func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError)

    /// Writes all of `source` at byte `offset`, growing the file when needed; what lies between reads as zeros. Throws
    /// `misuse`, code "read-only".
    func write(_ source: RawSpan, at offset: UInt64) throws(StorageError)

    /// Cuts or extends the file to `length` bytes; new ones read as zeros. Throws `misuse`, code "read-only".
    func truncate(to length: UInt64) throws(StorageError)

    /// A barrier: what was written before is on stable storage before anything written after.
    func flush() throws(StorageError)

    // MARK: What only some can do

    /// What it is known by after a restart; nil where nothing tells it.
    var incarnation: FileIncarnation? { get }
    /// Bytes that it occupies where it lies; nil when that cannot be told.
    var allocatedByteCount: UInt64? { get }
    /// When the content was last changed, in seconds since 1970; nil when that cannot be told.
    var modificationTime: Int64? { get }
    /// Makes that time an earlier one again, once the content is what it was then; nothing where that cannot be done.
    func putBack(modificationTime: Int64)

    /// How many names it has; nil where names are not counted.
    var nameCount: UInt64? { get }
    /// Whether it keeps extended attributes, which are the same under every name.
    var keepsAttributes: Bool { get }

    /// Sets an extended attribute, or with nil removes it, durably. Throws `io` where it cannot be set.
    func setAttribute(_ name: String, to value: [UInt8]?) throws(StorageError)

    /// Looks at its length again: a write that failed may have changed it.
    func refreshLength()

    /// The run of data or hole that byte `offset`, which is below `byteCount`, lies in. All of it is data where holes are
    /// not known.
    func nextDataOrHole(at offset: UInt64) throws(StorageError) -> (isData: Bool, end: UInt64)

    /// Makes `count` bytes read as zeros, by a hole where that can be.
    func writeZeroes(at offset: UInt64, count: UInt64) throws(StorageError)

    /// Shares `count` bytes of another file with this one. False, and nothing done, where that cannot be.
    func clone(_ source: any ByteFile, at offset: UInt64, count: UInt64, to target: UInt64) -> Bool

    /// The file that byte `offset` lies in as it is, and where, for `clone`; nil where no file has it.
    func cloneOrigin(at offset: UInt64) -> (file: any ByteFile, offset: UInt64)?

    /// Asks that what was written begins to reach the disk now instead of at the next flush. A hint: it orders and
    /// promises nothing.
    func startWriteback()

    /// Waits until what was written is on the disk, so that a request to stop need not wait for all of it. No barrier:
    /// `flush` comes after it.
    func awaitWriteback() throws(StorageError)
}

extension ByteFile {
    /// None.
    public var identity: FileIdentity? { nil }
    /// It can grow and shrink.
    public var hasFixedLength: Bool { false }
    /// No device.
    public var sectorSize: UInt32 { 512 }
    /// Unknown.
    public var incarnation: FileIncarnation? { nil }
    /// Unknown.
    public var allocatedByteCount: UInt64? { nil }
    /// Unknown.
    public var modificationTime: Int64? { nil }
    /// Not counted.
    public var nameCount: UInt64? { nil }
    /// None.
    public var keepsAttributes: Bool { false }
    /// There are none to remove.
    public func setAttribute(_ name: String, to value: [UInt8]?) throws(StorageError) {}
    /// It is what it is.
    public func refreshLength() {}

    /// All of it is data.
    public func nextDataOrHole(at offset: UInt64) throws(StorageError) -> (isData: Bool, end: UInt64) {
        (true, byteCount)
    }

    /// By writing them.
    public func writeZeroes(at offset: UInt64, count: UInt64) throws(StorageError) {
        try writeZeroesByWriting(at: offset, count: count)
    }

    /// It cannot.
    public func clone(
        _ source: any ByteFile, at offset: UInt64, count: UInt64, to target: UInt64
    ) -> Bool { false }

    /// None.
    public func cloneOrigin(at offset: UInt64) -> (file: any ByteFile, offset: UInt64)? { nil }

    /// Nothing to ask.
    public func startWriteback() {}

    /// Nothing to wait for.
    public func awaitWriteback() throws(StorageError) {}
}

extension ByteFile {
    /// What keeps no time has none to put back.
    public func putBack(modificationTime: Int64) {}
}
