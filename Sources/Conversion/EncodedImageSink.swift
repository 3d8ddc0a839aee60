internal import Codecs
package import ImageFormats
package import Storage

/// A new image of encoded units as a sink.
package final class EncodedImageSink: ConversionSink {
    private let writer: any EncodedImageWriter
    package let layout: SinkLayout
    package var byteCount: UInt64 { writer.byteCount }

    /// A sink that writes by `writer`.
    package init(_ writer: any EncodedImageWriter) throws(StorageError) {
        self.writer = writer
        layout = SinkLayout(
            unit: writer.unit, order: writer.isSequential ? .ascending : .any,
            encoding: SinkLayout.Encoding(
                codec: try Codec.named(writer.codec), level: writer.level,
                takesPlainUnits: writer.takesPlainUnits, fillsLastUnit: true))
    }

    package func write(_ bytes: RawSpan, at offset: UInt64) throws(StorageError) {
        try writer.write(plain: bytes, at: offset)
    }

    package func write(_ unit: EncodedUnit) throws(StorageError) {
        try writer.write(unit.bytes, of: unit.range)
    }

    package func startWriteback() { writer.startWriteback() }

    package func finish() throws(StorageError) { try writer.finish() }
}
