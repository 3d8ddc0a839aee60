package import Storage

/// A new image that is made in one go of units that are encoded each by itself. What is not written reads as zeros.
///
/// One caller writes at a time. Nothing but `finish` makes it complete.
package protocol EncodedImageWriter: AnyObject, Sendable {
    /// The guest disk's size in bytes.
    var byteCount: UInt64 { get }
    /// Bytes of a unit.
    var unit: UInt64 { get }
    /// What units are encoded with.
    var codec: CodecID { get }
    /// The level that the caller asked for; nil: the codec's own choice.
    var level: Int? { get }
    /// Whether a unit that its encoding does not make shorter is written as it is.
    var takesPlainUnits: Bool { get }
    /// Whether each unit has to lie behind the one before it.
    var isSequential: Bool { get }

    /// Writes what a unit is encoded as. `range` begins at a multiple of `unit`; where the disk ends in its last unit, the
    /// range ends there and the encoded bytes are a whole unit's.
    func write(_ encoded: [UInt8], of range: Range<UInt64>) throws(StorageError)

    /// Writes a unit as it is; `misuse` where none is taken.
    func write(plain bytes: RawSpan, at offset: UInt64) throws(StorageError)

    /// Asks the host to begin writing back what was written so far.
    func startWriteback()

    /// Completes the image and makes it durable.
    func finish() throws(StorageError)
}
