package import Storage

/// Parts of files. Blocks that change are written anew elsewhere, as whole contents are: a cut leaves old or new.
extension XFSTransaction {
    /// Writes bytes into a regular file at any offset.
    package func write(_ bytes: [UInt8], to file: FileID, at offset: UInt64) throws(StorageError) {
        try write([FilePiece(offset: offset, bytes: bytes)], to: file)
    }

    /// Writes pieces into a regular file; its map is read and stored once.
    package func write(_ pieces: [FilePiece], to file: FileID) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try regularFile(file)
            var end: UInt64 = 0
            var count = 0
            for piece in pieces where !piece.bytes.isEmpty {
                guard piece.offset >= end, let next = piece.offset +? UInt64(piece.bytes.count),
                    next <= Self.longestFile
                else { throw .xfs(.refused, .fileTooLong, "\(inode.name) cannot be that long") }
                end = next
                count += piece.bytes.count
            }
            guard count > 0 else { return }
            guard count <= Self.contentsLimit else {
                throw .memoryBound("xfs", "\(count) bytes are more than are written at once")
            }
            if end > inode.size { try clear(behindEndOf: &inode) }
            try overwrite(pieces, in: &inode)
            inode.bytes.storeBig(max(inode.size, end), at: Inode.Offset.size)
            touch(&inode, contents: true)
            try store(inode)
        }
    }

    /// Cuts a regular file, giving its blocks back, or extends it with a hole.
    package func truncate(_ file: FileID, to size: UInt64) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try regularFile(file)
            guard size != inode.size else { return }
            guard size <= Self.longestFile else {
                throw .xfs(.refused, .fileTooLong, "\(inode.name) cannot be \(size) bytes long")
            }
            if size < inode.size {
                let end = size.dividedRoundingUp(by: UInt64(geometry.blockSize))
                try exchange([end..<Self.mapEnd], of: &inode, for: [])
                try clearSlack(of: &inode, behind: size)
            } else {
                try clear(behindEndOf: &inode)
            }
            inode.bytes.storeBig(size, at: Inode.Offset.size)
            touch(&inode, contents: true)
            try store(inode)
        }
    }

    /// Makes a range of a regular file a hole.
    package func punchHole(in file: FileID, _ range: Range<UInt64>) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try regularFile(file)
            let blockSize = UInt64(geometry.blockSize)
            let range = range.clamped(to: 0..<max(inode.size, range.lowerBound))
            guard !range.isEmpty, range.lowerBound < inode.size else { return }
            // A hole that reaches the end takes the last block whole.
            let upper =
                range.upperBound >= inode.size
                ? range.upperBound.dividedRoundingUp(by: blockSize) : range.upperBound / blockSize
            let lower = range.lowerBound.dividedRoundingUp(by: blockSize)
            if lower <= upper {
                try zero(range.lowerBound..<min(lower * blockSize, range.upperBound), of: &inode)
                let rest = min(max(upper * blockSize, range.lowerBound), range.upperBound)
                try zero(rest..<range.upperBound, of: &inode)
                try exchange([lower..<upper], of: &inode, for: [])
            } else {
                try zero(range, of: &inode)
            }
            touch(&inode, contents: true)
            try store(inode)
        }
    }

    /// XFS's longest file.
    private static let longestFile = UInt64(Int64.max)
    /// Blocks of a file are counted below this.
    private static let mapEnd: UInt64 = 1 << 54

    private func regularFile(_ file: FileID) throws(StorageError) -> Inode {
        let inode = try inode(file)
        guard inode.type == .regular else {
            throw .xfs(.misuse, .notARegularFile, "\(inode.name) is not a regular file")
        }
        try requireChangeable(inode)
        return inode
    }

    /// Sees to it that a file that grows shows zeros behind its old end: what its last block has there, and blocks that it got
    /// before it needed them, which older kernels leave as written. Unwritten ones stay.
    private func clear(behindEndOf inode: inout Inode) throws(StorageError) {
        try clearSlack(of: &inode, behind: inode.size)
        let end = inode.size.dividedRoundingUp(by: UInt64(geometry.blockSize))
        guard end < Self.mapEnd else { return }
        let (kept, behind) = try extents(of: inode, .data).cut(end..<Self.mapEnd)
        let written = behind.filter { !$0.isUnwritten }
        guard !written.isEmpty else { return }
        for record in written { try release(record, .data, of: inode) }
        try setExtents(kept + behind.filter(\.isUnwritten), .data, of: &inode)
    }

    /// Zeroes what lies behind byte `size` in its block, so that it never shows.
    private func clearSlack(of inode: inout Inode, behind size: UInt64) throws(StorageError) {
        let blockSize = UInt64(geometry.blockSize)
        guard size % blockSize != 0 else { return }
        try zero(size..<size - size % blockSize + blockSize, of: &inode)
    }

    /// Zeroes bytes within a block, where it has others.
    private func zero(_ range: Range<UInt64>, of inode: inout Inode) throws(StorageError) {
        let blockSize = UInt64(geometry.blockSize)
        guard !range.isEmpty else { return }
        guard case .written(let block) = try run(of: inode, at: range.lowerBound / blockSize).place else {
            return
        }
        var held = [UInt8](repeating: 0, count: range.count)
        let position = geometry.position(of: block) + range.lowerBound % blockSize
        try held.withMutableBytes { (span) throws(StorageError) in try readData(into: &span, at: position) }
        guard held.contains(where: { $0 != 0 }) else { return }
        let zeros = [UInt8](repeating: 0, count: range.count)
        try overwrite([FilePiece(offset: range.lowerBound, bytes: zeros)], in: &inode)
    }

    /// Puts pieces into new blocks in the place of the old ones, whose other bytes are kept.
    private func overwrite(_ pieces: [FilePiece], in inode: inout Inode) throws(StorageError) {
        let blockSize = UInt64(geometry.blockSize)
        var ranges: [Range<UInt64>] = []
        var records: [ExtentRecord] = []
        for group in PiecesInBlocks.gather(pieces, blockSize: blockSize) {
            var whole: [UInt8] = []
            var position = group.blocks.lowerBound * blockSize
            // What lies between pieces lies within one block.
            func keep(to end: UInt64) throws(StorageError) {
                guard position < end else { return }
                let held = try blockContents(position / blockSize, of: inode)
                let from = Int(position % blockSize)
                whole += held[from..<from + Int(end - position)]
                position = end
            }
            for piece in group.pieces {
                try keep(to: piece.offset)
                whole += piece.bytes
                position = piece.offset + UInt64(piece.bytes.count)
            }
            try keep(to: group.blocks.upperBound * blockSize)
            records += try place(whole, at: group.blocks.lowerBound, of: inode)
            ranges.append(group.blocks)
        }
        try exchange(ranges, of: &inode, for: records)
    }

    /// A block of a file, zeros where there is none.
    private func blockContents(_ number: UInt64, of inode: Inode) throws(StorageError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: geometry.blockSize)
        guard case .written(let block) = try run(of: inode, at: number).place else { return bytes }
        let position = geometry.position(of: block)
        try bytes.withMutableBytes { (span) throws(StorageError) in
            try readData(into: &span, at: position)
        }
        return bytes
    }

    /// Gives back what a file has in ranges of its blocks, which are in order, and puts other extents there.
    private func exchange(
        _ ranges: [Range<UInt64>], of inode: inout Inode, for records: [ExtentRecord]
    ) throws(StorageError) {
        var kept: [ExtentRecord] = []
        var released: [ExtentRecord] = []
        let ranges = ranges.filter { !$0.isEmpty }
        var next = 0
        for record in try extents(of: inode, .data) {
            while next < ranges.count, ranges[next].upperBound <= record.fileBlock { next += 1 }
            var rest: ExtentRecord? = record
            var index = next
            while let part = rest, index < ranges.count, ranges[index].lowerBound < part.end {
                let (before, inside, behind) = part.parts(around: ranges[index])
                if let before { kept.append(before) }
                if let inside { released.append(inside) }
                rest = behind
                index += 1
            }
            if let rest { kept.append(rest) }
        }
        guard !released.isEmpty || !records.isEmpty else { return }
        for record in released { try release(record, .data, of: inode) }
        try setExtents(
            (kept + records).sorted { $0.fileBlock < $1.fileBlock }, .data, of: &inode)
    }
}
