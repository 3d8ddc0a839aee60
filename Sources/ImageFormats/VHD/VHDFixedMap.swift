internal import Storage

/// A fixed disk: guest offset equals file offset, and a footer lies behind, which writing leaves alone.
final class VHDFixedMap: WritableImageMap {
    private let file: any ByteFile
    private let refusal: StorageError?
    let byteCount: UInt64
    var sectorSize: UInt32 { 512 }
    var hostFiles: [any ByteFile] { [file] }

    init(_ file: any ByteFile, byteCount: UInt64, writeRefusal: StorageError?) {
        self.file = file
        self.byteCount = byteCount
        refusal = writeRefusal
    }

    func extent(at offset: UInt64) throws(StorageError) -> Extent {
        // A disk that is salvaged may have lost its end.
        guard offset < file.byteCount else { throw file.shortFile(at: offset, 1) }
        let run = try file.nextDataOrHole(at: offset)
        let end = max(min(run.end, byteCount), offset + 1)
        return Extent(range: offset..<end, kind: run.isData ? .plain(file: 0, offset: offset) : .zero)
    }

    func beginWriting() throws(StorageError) {
        if let refusal { throw refusal }
    }

    func prepareWriting(at offset: UInt64) throws(StorageError) -> WriteTarget {
        .inPlace(file: 0, offset: offset, end: byteCount)
    }

    func allocate(_ range: Range<UInt64>) throws(StorageError) -> Allocation {
        Allocation(range: range, file: 0, offset: range.lowerBound)
    }

    func commit() throws(StorageError) { try file.flush() }
}
