internal import Codecs
internal import Storage

// Stream-optimised extents: every grain is deflated behind a small header, and the directory may only be known
// at the end of the file. (VMware, "Virtual Disk Format 5.0", "Stream-Optimized Compressed Sparse Extents".)

extension VMDKSparseHeader {
    /// How far before the end of the file a footer is looked for: a file taken out of a tar archive (OVA) may have
    /// its padding behind it.
    private static let footerSearch: UInt64 = 64 << 10

    /// The header as the footer completes it, when this one says that the directory is at the end.
    ///
    /// A conforming stream ends with a footer marker, the footer, and an end-of-stream marker. Only the footer
    /// itself is asked for: some writers leave the markers out.
    func completed(byFooterOf file: any ByteFile) throws(StorageError) -> VMDKSparseHeader {
        guard directoryOffset == nil else { return self }
        let sectors = file.byteCount / Self.sectorSize
        let searched = min(sectors, Self.footerSearch / Self.sectorSize)
        let start = (sectors - searched) * Self.sectorSize
        let tail = try file.bytes(at: start, count: Int(searched * Self.sectorSize))
        for index in stride(from: Int(searched) - 1, through: 0, by: -1) {
            let position = start + UInt64(index) * Self.sectorSize
            guard position > 0, tail.span8.matches(Self.magic, at: index * Self.byteSize) else { continue }
            let sector = Array(tail[index * Self.byteSize..<(index + 1) * Self.byteSize])
            let footer = try VMDKSparseHeader(sector, at: position)
            guard footer.directoryOffset != nil, footer.byteCount == byteCount,
                footer.grainSize == grainSize, footer.entriesPerTable == entriesPerTable,
                footer.isCompressed == isCompressed, footer.hasMarkers == hasMarkers
            else { continue }
            var header = self
            header.directoryOffset = footer.directoryOffset
            header.redundantDirectoryOffset = footer.redundantDirectoryOffset
            return header
        }
        throw .vmdk(
            .corrupt, .footer,
            "the stream has no footer that says where its grain directory is; is it truncated?",
            structure: "footer", offset: start, path: file.path)
    }
}

extension VMDKSparseExtent {
    /// The grain at byte `offset` of a compressed extent, whose own header says how long it is and which grain it
    /// is: a reader that trusts the table alone would put wrong data into the guest.
    func compressedGrain(at offset: UInt64, entry: UInt32, base: UInt64) throws(StorageError) -> Extent {
        let (index, slot) = place(of: offset)
        let start = grainStart(index, slot)
        let end = grainEnd(index, slot + 1)
        let position = VMDKSector(entry).offset
        func damaged(_ field: String, _ message: String) -> StorageError {
            .vmdk(
                .corrupt, .grainHeader, message, structure: "grain \(start / header.grainSize)", field: field,
                offset: position, path: file.path)
        }
        let headerSize = header.hasMarkers ? 12 : 4
        let bytes = try file.availableBytes(at: position, count: headerSize)
        guard bytes.count == headerSize else {
            throw damaged("lba", "a grain lies past the end of the file; is it truncated?")
        }
        if header.hasMarkers {
            let sector: UInt64 = bytes.little(0)
            guard sector == start / VMDKSparseHeader.sectorSize else {
                throw damaged(
                    "lba",
                    "a grain says that it holds sector \(sector) where sector "
                        + "\(start / VMDKSparseHeader.sectorSize) was looked for")
            }
        }
        let size = UInt64(bytes.little(headerSize - 4, as: UInt32.self))
        // Deflate makes incompressible data a little longer, never twice as long.
        guard size > 0, size <= 2 * header.grainSize else {
            throw damaged("dataSize", "a compressed grain of \(size) bytes is not what any writer makes")
        }
        let payload = position + UInt64(headerSize)
        guard payload + size <= file.byteCount else {
            throw damaged("dataSize", "a grain ends past the end of the file; is it truncated?")
        }
        // The last grain may be cut where the disk ends, or go on to its own end behind it.
        return Extent(
            range: base + offset..<base + end,
            kind: .compressed(
                Extent.CompressedUnit(
                    codec: .zlib, file: fileIndex, hostRange: payload..<payload + size,
                    unitRange: base + start..<base + end, mayBeShort: end == header.byteCount,
                    longest: header.grainSize)))
    }
}
