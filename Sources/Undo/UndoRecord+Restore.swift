internal import Storage

// Putting back what a record saved.

extension UndoRecord {
    /// Writes back everything that was saved, and the old length. Twice does the same as once, and in between every
    /// sector is as before or as it was found. The segment must have been checked: what is damaged in the middle is
    /// noticed after a part has been put back.
    func restore(_ file: any ByteFile, _ log: any ByteFile) throws(StorageError) {
        // A write that failed may have made the file longer than anybody noted.
        file.refreshLength()
        try forEachChunk(in: log) { (chunk) throws(StorageError) in
            guard chunk.kind == .before else { return }
            guard let entries = chunk.savedRanges(below: header.lengthBefore) else {
                throw damaged(at: chunk.position)
            }
            for entry in entries { try restore(entry, of: chunk, file) }
        }
        if !file.hasFixedLength, file.byteCount != header.lengthBefore {
            try file.flush()
            try file.truncate(to: header.lengthBefore)
        }
        // Piece by piece, so that a request to stop need not wait for all of it.
        try file.awaitWriteback()
        try file.flush()
        // What was made of the file remembers its time.
        if let time = header.modificationTime { file.putBack(modificationTime: time) }
    }

    private func restore(
        _ entry: UndoChunk.Entry, of chunk: UndoChunk, _ file: any ByteFile
    ) throws(StorageError) {
        let range = entry.range
        // Where the file has grown, the rest of the sector that it used to end in goes back to zeros with it.
        let wholeEnd = range.upperBound.roundedUp(to: Self.sectorSize) ?? range.upperBound
        let end = min(wholeEnd, max(range.upperBound, file.byteCount))
        guard let place = entry.place else {
            // What lies behind the present end reads as zeros once the length is back.
            let end = min(end, file.byteCount)
            guard range.lowerBound < end else { return }
            return try file.writeZeroes(at: range.lowerBound, count: end - range.lowerBound)
        }
        var position = range.lowerBound
        while position < end {
            let stop = min(position + UndoRecord.pieceSize, end)
            let from = place.lowerBound + Int(position - range.lowerBound)
            var bytes = Array(chunk.body[from..<min(from + Int(stop - position), place.upperBound)])
            bytes += [UInt8](repeating: 0, count: Int(stop - position) - bytes.count)
            // A full host may refuse to write even what is there already.
            let now = try file.availableBytes(at: position, count: bytes.count)
            if bytes != now { try file.write(bytes, at: position) }
            position = stop
        }
    }
}
