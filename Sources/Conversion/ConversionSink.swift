package import Codecs
package import Storage

/// Where a conversion goes: a new image, or anything else that takes a disk's bytes. It reads as zeros where nothing
/// is written.
///
/// The converter calls one writing method at a time and never writes a byte twice.
package protocol ConversionSink: Sendable {
    /// How many bytes of a disk it takes.
    var byteCount: UInt64 { get }
    /// How it wants to be written.
    var layout: SinkLayout { get }

    /// Writes guest bytes. `misuse` where every unit has to be encoded.
    func write(_ bytes: RawSpan, at offset: UInt64) throws(StorageError)

    /// Writes a unit in the layout's encoding.
    func write(_ unit: EncodedUnit) throws(StorageError)

    /// Shares blocks of `file` from byte `position` on with guest bytes `range`, where the host's file system can.
    /// False: nothing was done. Asked where positions and lengths are multiples of 4096.
    func clone(
        _ file: any ByteFile, at position: UInt64, to range: Range<UInt64>
    ) throws(StorageError) -> CloneResult

    /// Asks the host to begin writing back what was written so far; the flush at the end is shorter then.
    func startWriteback()

    /// Everything was written: completes the sink and makes it durable.
    func finish() throws(StorageError)
}

/// How a sink wants to be written.
package struct SinkLayout: Sendable {
    /// The order of writes.
    package enum Order: Sendable {
        /// As it comes.
        case any
        /// Each write begins where the one before it ended, or behind.
        case ascending
    }

    /// What units are encoded with.
    package struct Encoding: Sendable {
        /// The encoding.
        package var codec: Codec
        /// Its level; nil: the codec's own choice.
        package var level: Int?
        /// Whether a unit that its encoding does not make shorter is written as it is.
        package var takesPlainUnits: Bool
        /// Whether the last unit is encoded whole, with zeros behind the disk's end.
        package var fillsLastUnit: Bool

        /// Describes an encoding.
        package init(
            codec: Codec, level: Int? = nil, takesPlainUnits: Bool, fillsLastUnit: Bool = false
        ) {
            self.codec = codec
            self.level = level
            self.takesPlainUnits = takesPlainUnits
            self.fillsLastUnit = fillsLastUnit
        }
    }

    /// The sink's cluster, block or grain in bytes: zero runs are left out in multiples of it.
    package var unit: UInt64
    /// The order of writes.
    package var order: Order
    /// What units are encoded with; nil: plain bytes are written, in runs of any length.
    package var encoding: Encoding?

    /// Describes a layout.
    package init(unit: UInt64, order: Order = .any, encoding: Encoding? = nil) {
        self.unit = unit
        self.order = order
        self.encoding = encoding
    }
}

/// A unit in a sink's encoding.
package struct EncodedUnit: Equatable, Sendable {
    /// Which guest bytes: one unit, aligned to its size; the last may be cut where the disk ends.
    package var range: Range<UInt64>
    /// The encoded bytes. Where they came from another image there may be padding behind the stream.
    package var bytes: [UInt8]

    /// Makes a unit.
    package init(range: Range<UInt64>, bytes: [UInt8]) {
        self.range = range
        self.bytes = bytes
    }
}

/// What became of the wish to share blocks.
package enum CloneResult: Sendable {
    /// The blocks are shared.
    case done
    /// Not these bytes; others may be.
    case notHere
    /// The host cannot.
    case never
}

extension ConversionSink {
    package func write(_ unit: EncodedUnit) throws(StorageError) {
        throw StorageError(
            .misuse, ConversionCode.takesNoEncodedUnits, "this output takes plain bytes",
            offset: unit.range.lowerBound)
    }

    package func clone(
        _ file: any ByteFile, at position: UInt64, to range: Range<UInt64>
    ) throws(StorageError) -> CloneResult { .never }

    package func startWriteback() {}
}
