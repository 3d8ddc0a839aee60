package import Storage

extension Ext4Transaction {
    /// Writes bytes into a regular file at any offset.
    package func write(_ bytes: [UInt8], to file: FileID, at offset: UInt64) throws(StorageError) {
        try write([FilePiece(offset: offset, bytes: bytes)], to: file)
    }

    /// Writes pieces into a regular file; its map is read and stored once.
    package func write(_ pieces: [FilePiece], to file: FileID) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try inode(file)
            try requireWritableContents(inode)
            var left = pieces.filter { !$0.bytes.isEmpty }[...]
            var end: UInt64 = 0
            for piece in left {
                guard piece.offset >= end, let next = piece.offset +? UInt64(piece.bytes.count) else {
                    throw .ext4(.refused, .fileTooLong, "\(inode.name) cannot be that long")
                }
                end = next
                try requireReachable(next, in: inode)
            }
            guard !left.isEmpty else { return }
            while inode.flags.contains(.inlineData), let piece = left.first {
                guard try writeInline(piece.bytes, at: piece.offset, in: &inode) else { break }
                inode.setSize(
                    max(inode.size(geometry), piece.offset + UInt64(piece.bytes.count)), geometry)
                left = left.dropFirst()
            }
            let old = inode.size(geometry)
            // Bytes behind the old end show from now on, where no piece lies over them.
            let isCovered = left.contains { $0.offset <= old && old < $0.offset + UInt64($0.bytes.count) }
            if end > old, !isCovered { try clearSlack(of: inode, behind: old) }
            if !left.isEmpty { try writeBlocks(Array(left), in: &inode) }
            inode.setSize(max(old, end), geometry)
            try noteSize(max(old, end), of: inode)
            touch(&inode, contents: true)
            try store(inode)
        }
    }

    /// Makes a range of a regular file a hole.
    package func punchHole(in file: FileID, _ range: Range<UInt64>) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try inode(file)
            try requireWritableContents(inode)
            let size = inode.size(geometry)
            let range = range.clamped(to: 0..<max(size, range.lowerBound))
            guard !range.isEmpty, range.lowerBound < size else { return }
            if inode.flags.contains(.inlineData) {
                var contents = try inlineData(of: inode)
                // What i_size covers and nobody stored is zero already.
                let stored = range.clamped(to: 0..<UInt64(contents.count))
                for index in stored { contents[Int(index)] = 0 }
                if try !replaceInline(contents, in: &inode) { try replaceBlocks(contents, in: &inode) }
            } else {
                try punchBlocks(range, size: size, in: &inode)
            }
            touch(&inode, contents: true)
            try store(inode)
        }
    }

    /// True when the file's contents are still in its inode; false when they are in blocks now, and the bytes are
    /// still to be written.
    private func writeInline(
        _ bytes: [UInt8], at offset: UInt64, in inode: inout Inode
    ) throws(StorageError) -> Bool {
        var contents = try inlineData(of: inode)
        let room = UInt64(geometry.inodeSize)
        if let end = offset +? UInt64(bytes.count), end <= room {
            let padding = max(Int(end) - contents.count, 0)
            contents += [UInt8](repeating: 0, count: padding)
            contents.replaceSubrange(Int(offset)..<Int(end), with: bytes)
            if try replaceInline(contents, in: &inode) { return true }
            try replaceBlocks(contents, in: &inode)
            return true
        }
        try moveOutOfInode(&inode, contents: contents)
        return false
    }

    private func writeBlocks(_ pieces: [FilePiece], in inode: inout Inode) throws(StorageError) {
        let before = try map(of: inode)
        var after = FileMap(runs: [], treeBlocks: before.treeBlocks)
        after.runs.reserveCapacity(before.runs.count + pieces.count)
        var rest = FileMapCursor(before.runs)
        for group in PiecesInBlocks.gather(pieces, blockSize: UInt64(geometry.blockSize)) {
            for run in rest.take(before: group.blocks.lowerBound) { after.append(run) }
            let inside = rest.take(before: group.blocks.upperBound)
            let last = after.runs.last
            let goal = last.flatMap { run in run.firstBlock?.advanced(by: run.count) } ?? goal(for: inode)
            let filled = try filled(
                FileMap(runs: inside, treeBlocks: []), from: group.blocks.lowerBound,
                to: group.blocks.upperBound, near: goal)
            try store(group.pieces, in: filled.runs, over: inside)
            for run in filled.runs { after.append(run) }
        }
        for run in rest.take(before: .max) { after.append(run) }
        inode.flags.remove(.endOfFileBlocks)
        try store(after, replacing: before, in: &inode)
    }

    /// Puts pieces that follow each other into the blocks of `runs`. What they leave of a block is what it held, in `held`;
    /// one that was a hole or preallocated held zeros.
    private func store(
        _ pieces: ArraySlice<FilePiece>, in runs: [MappedRun], over held: [MappedRun]
    ) throws(StorageError) {
        let blockSize = UInt64(geometry.blockSize)
        var pieces = pieces
        var held = FileMapCursor(held)
        for run in runs {
            guard let first = run.firstBlock else { continue }
            for index in 0..<run.count {
                let start = (run.logical + index) * blockSize
                let end = start + blockSize
                let number = first.advanced(by: index)
                let old = held.take(before: run.logical + index + 1).last
                var block: [UInt8]?
                while let piece = pieces.first, piece.offset < end {
                    let stop = piece.offset + UInt64(piece.bytes.count)
                    let part = piece.bytes[
                        Int(max(start, piece.offset) - piece.offset)..<Int(min(end, stop) - piece.offset)]
                    if part.count == geometry.blockSize {
                        block = Array(part)
                    } else {
                        var whole: [UInt8]
                        if let block {
                            whole = block
                        } else if case .written = old?.place {
                            whole = try self.block(number)
                        } else {
                            whole = [UInt8](repeating: 0, count: geometry.blockSize)
                        }
                        let place = Int(max(start, piece.offset) - start)
                        whole.replaceSubrange(place..<place + part.count, with: part)
                        block = whole
                    }
                    guard stop <= end else { break }
                    pieces = pieces.dropFirst()
                }
                if let block { try store(block, at: number, role: .data) }
            }
        }
    }

    private func punchBlocks(
        _ range: Range<UInt64>, size: UInt64, in inode: inout Inode
    ) throws(StorageError) {
        let blockSize = UInt64(geometry.blockSize)
        // A hole that reaches the end takes the last block whole.
        let upper =
            range.upperBound >= size
            ? range.upperBound.dividedRoundingUp(by: blockSize) : range.upperBound / blockSize
        let lower = range.lowerBound.dividedRoundingUp(by: blockSize)
        let edges =
            lower < upper
            ? [
                range.lowerBound..<lower * blockSize,
                upper * blockSize..<max(range.upperBound, upper * blockSize),
            ]
            : [range]
        for edge in edges { try zero(edge, of: inode) }
        guard lower < upper else { return }
        let before = try map(of: inode)
        var after = before
        let behind = after.removeRuns(from: upper)
        for run in after.removeRuns(from: lower) { try free(run) }
        for run in behind { after.append(run) }
        try store(after, replacing: before, in: &inode)
    }

    /// Zeroes bytes within a block or two.
    private func zero(_ range: Range<UInt64>, of inode: Inode) throws(StorageError) {
        let blockSize = UInt64(geometry.blockSize)
        var position = range.lowerBound
        while position < range.upperBound {
            let logical = position / blockSize
            let end = min(range.upperBound, (logical + 1) * blockSize)
            if case .written(let number) = try run(of: inode, at: logical).place {
                var bytes = try block(number)
                let start = Int(position - logical * blockSize)
                bytes.withMutableBytes { $0.zero(start..<start + Int(end - position)) }
                try store(bytes, at: number, role: .data)
            }
            position = end
        }
    }
}
