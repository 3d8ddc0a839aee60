package import ImageFormats
package import Storage

/// A new image, which takes plain bytes in any order.
extension OpenedImage: ConversionSink {
    package var byteCount: UInt64 { disk.byteCount }

    package var layout: SinkLayout { SinkLayout(unit: info.unitSize ?? 4096) }

    package func write(_ bytes: RawSpan, at offset: UInt64) throws(StorageError) {
        try disk.write(bytes, at: offset)
    }

    package func clone(
        _ file: any ByteFile, at position: UInt64, to range: Range<UInt64>
    ) throws(StorageError) -> CloneResult {
        guard
            case .inPlace(let index, let offset, let end) = try disk.prepareWriting(at: range.lowerBound),
            end >= range.upperBound, offset % 4096 == 0
        else { return .notHere }
        let count = range.upperBound - range.lowerBound
        return disk.map.hostFiles[index].clone(file, at: position, count: count, to: offset) ? .done : .never
    }

    package func startWriteback() {
        for file in disk.map.hostFiles { file.startWriteback() }
    }

    package func finish() throws(StorageError) {
        // Waiting for the bulk of it can be interrupted; a flush cannot.
        for file in disk.map.hostFiles { try file.awaitWriteback() }
        try disk.flush()
    }
}
