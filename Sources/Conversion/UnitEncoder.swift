internal import Codecs
internal import Storage

/// One worker's encoder: makes a batch's units as a sink wants them. What the source holds in that encoding already is
/// taken as it is.
final class UnitEncoder {
    /// A unit that is to be written.
    enum Unit {
        case plain(bytes: [UInt8], offset: UInt64)
        case encoded(EncodedUnit)
    }

    private let encoding: SinkLayout.Encoding
    private let encoder: any StreamEncoder
    private let size: UInt64
    private let source: any BlockDevice

    init(_ encoding: SinkLayout.Encoding, unit: UInt64, source: any BlockDevice) throws(StorageError) {
        self.encoding = encoding
        encoder = try encoding.codec.makeEncoder(level: encoding.level)
        size = unit
        self.source = source
    }

    /// The units that a batch lies in, without those that are all zeros. No other batch lies in them.
    func units(of batch: ConversionPlan.Batch) throws(StorageError) -> [Unit] {
        var units: [Unit] = []
        var start = batch.range.lowerBound - batch.range.lowerBound % size
        while start < batch.range.upperBound {
            let range = start..<min(start + size, source.byteCount)
            if let ready = batch.encoded[start], let payload = try payload(of: ready) {
                // Damage is not handed on, to be vouched for by the copy's own digests: decoding finds it.
                _ = try source.bytes(at: range.lowerBound, count: Int(range.upperBound - range.lowerBound))
                units.append(.encoded(EncodedUnit(range: range, bytes: payload)))
            } else if let unit = try encode(range) {
                units.append(unit)
            }
            start = range.upperBound
        }
        return units
    }

    /// What the source's file holds of a unit, padding included; nil when it is longer than any encoder makes it.
    private func payload(of unit: Extent.CompressedUnit) throws(StorageError) -> [UInt8]? {
        let count = unit.hostRange.upperBound - unit.hostRange.lowerBound
        guard count <= 2 * size, source.hostFiles.indices.contains(unit.file) else { return nil }
        return try source.hostFiles[unit.file].availableBytes(
            at: unit.hostRange.lowerBound, count: Int(count))
    }

    private func encode(_ range: Range<UInt64>) throws(StorageError) -> Unit? {
        // One unit, which the converter has found to be of a bearable size.
        var bytes = try source.bytes(at: range.lowerBound, count: Int(range.upperBound - range.lowerBound))
        guard !bytes.span8.isAllZero else { return nil }
        if encoding.fillsLastUnit { bytes += repeatElement(0, count: Int(size) - bytes.count) }
        try encoder.reset()
        let limit = encoding.takesPlainUnits ? bytes.count : 2 * bytes.count + 1024
        guard let encoded = try encoding.codec.encode(bytes.span8, by: encoder, shorterThan: limit) else {
            return .plain(
                bytes: Array(bytes.prefix(Int(range.upperBound - range.lowerBound))), offset: range.lowerBound
            )
        }
        return .encoded(EncodedUnit(range: range, bytes: encoded))
    }
}
