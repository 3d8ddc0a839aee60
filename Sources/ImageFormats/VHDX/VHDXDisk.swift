internal import Storage

/// A VHDX file whose headers, regions and metadata were read and fit together, a pending log taken into account.
struct VHDXDisk: Sendable {
    static let signature = Array("vhdxfile".utf8)

    let file: any ByteFile
    let headers: VHDXHeaders
    let regions: VHDXRegions
    var metadata: VHDXMetadata
    /// Who made it, as stored.
    let creator: String
    /// What the log still has to do.
    let replay: VHDXReplay?
    /// Where the log lies; nil when the header's word for it cannot be.
    let log: Range<UInt64>?
    private(set) var warnings: [String] = []

    /// Reads and checks all of it. Writes nothing.
    init(_ file: any ByteFile) throws(StorageError) {
        self.file = file
        let identifier = try file.availableBytes(at: 0, count: 520)
        guard identifier.count == 520, identifier.span8.matches(Self.signature) else {
            throw .vhdx(
                .corrupt, .notVHDX, "does not begin as a VHDX file", structure: "file type identifier",
                offset: 0)
        }
        creator = VHDParentLocator.text(utf16: Array(identifier[8...]), littleEndian: true)
        let headers = try VHDXHeaders(in: file)
        self.headers = headers
        let log = Self.logRange(headers.current, fileSize: file.byteCount)
        self.log = log
        let replay = try Self.pendingReplay(headers, log, file)
        self.replay = replay
        let fileSize = max(file.byteCount, replay?.fileSize ?? 0)
        let read = { (offset: UInt64, count: Int) throws(StorageError) -> [UInt8] in
            try Self.bytes(of: file, replay, at: offset, count: count)
        }
        regions = try VHDXRegions(fileSize: fileSize, read: read)
        metadata = try VHDXMetadata(VHDXMetadataTable(in: regions.metadata, read: read))
        if replay != nil {
            warnings.append(
                "was not closed properly: a log is pending; it is taken into account, and replayed on disk before "
                    + "the first write")
        }
        try checkRegions()
    }

    /// Bytes of the file with a pending log applied; what the log adds behind the file's end reads as zeros.
    static func bytes(
        of file: any ByteFile, _ replay: VHDXReplay?, at offset: UInt64, count: Int
    ) throws(StorageError) -> [UInt8] {
        guard let replay, let end = offset +? UInt64(count), end <= max(replay.fileSize, file.byteCount)
        else {
            return try file.bytes(at: offset, count: count)
        }
        var bytes = try file.availableBytes(at: offset, count: count)
        bytes += [UInt8](repeating: 0, count: count - bytes.count)
        replay.apply(to: &bytes, at: offset)
        return bytes
    }

    private static func logRange(_ header: VHDXHeader, fileSize: UInt64) -> Range<UInt64>? {
        let length = UInt64(header.logLength)
        guard header.logOffset >= VHDXRegions.alignment, header.logOffset % VHDXRegions.alignment == 0,
            length > 0, length % VHDXRegions.alignment == 0, let end = header.logOffset +? length,
            end <= fileSize
        else { return nil }
        return header.logOffset..<end
    }

    private static func pendingReplay(
        _ headers: VHDXHeaders, _ log: Range<UInt64>?, _ file: any ByteFile
    ) throws(StorageError) -> VHDXReplay? {
        let header = headers.current
        guard !header.logGUID.isZero else { return nil }
        let offset = VHDXHeader.offsets[headers.slot]
        guard header.logVersion == 0 else {
            throw .vhdx(
                .unsupported, .logVersion,
                "has a pending log of version \(header.logVersion); 0 is known", structure: "header",
                field: "LogVersion", offset: offset)
        }
        guard let log else {
            throw .vhdx(
                .corrupt, .logPlace,
                "the pending log is said to be \(header.logLength) bytes at \(header.logOffset.hex), which cannot "
                    + "be", structure: "header", field: "LogOffset", offset: offset)
        }
        return try VHDXLog(file: file, range: log, guid: header.logGUID).replay()
    }

    /// Log, table and metadata must not share bytes, and the table must be long enough.
    private func checkRegions() throws(StorageError) {
        let places = [("block allocation table", regions.bat), ("metadata region", regions.metadata)]
        let all = log.map { places + [("log", $0)] } ?? places
        for (index, one) in all.enumerated() {
            for other in all[..<index] where one.1.overlaps(other.1) {
                throw .vhdx(
                    .corrupt, .regionsOverlap, "the \(one.0) and the \(other.0) overlap",
                    structure: "region table", offset: max(one.1.lowerBound, other.1.lowerBound))
            }
        }
        let needed = VHDXTableLayout(metadata).entryCount * 8
        guard needed <= regions.bat.upperBound - regions.bat.lowerBound else {
            throw .vhdx(
                .corrupt, .tableTooSmall,
                "the block allocation table is too short for \(metadata.byteCount) bytes",
                structure: "region table", offset: regions.bat.lowerBound)
        }
    }
}
