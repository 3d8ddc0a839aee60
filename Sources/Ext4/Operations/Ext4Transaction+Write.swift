package import Storage

extension Ext4Transaction {
    /// Writes bytes into a regular file at any offset.
    package func write(_ bytes: [UInt8], to file: FileID, at offset: UInt64) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try inode(file)
            try requireWritableContents(inode)
            guard !bytes.isEmpty else { return }
            guard let end = offset +? UInt64(bytes.count) else {
                throw .ext4(.refused, .fileTooLong, "\(inode.name) cannot be that long")
            }
            try requireReachable(end, in: inode)
            let old = inode.size(geometry)
            var isDone = false
            if inode.flags.contains(.inlineData) { isDone = try writeInline(bytes, at: offset, in: &inode) }
            if !isDone {
                if offset > old { try clearSlack(of: inode, behind: old) }
                try writeBlocks(bytes, at: offset, in: &inode)
            }
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

    private func writeBlocks(
        _ bytes: [UInt8], at offset: UInt64, in inode: inout Inode
    ) throws(StorageError) {
        let blockSize = UInt64(geometry.blockSize)
        let end = offset + UInt64(bytes.count)
        let range = offset / blockSize..<end.dividedRoundingUp(by: blockSize)
        let before = try map(of: inode)
        var after = before
        let written = before.runs.filter { if case .written = $0.place { true } else { false } }
        let behind = after.removeRuns(from: range.upperBound)
        let inside = after.removeRuns(from: range.lowerBound)
        var goal = after.runs.last.flatMap { run in run.firstBlock?.advanced(by: run.count) }
        goal = goal ?? self.goal(for: inode)
        let filled = try filled(
            FileMap(runs: inside, treeBlocks: []), from: range.lowerBound, to: range.upperBound,
            near: goal ?? self.goal(for: inode))
        for run in filled.runs {
            guard let first = run.firstBlock else { continue }
            for index in 0..<run.count {
                let logical = run.logical + index
                let number = first.advanced(by: index)
                let from = max(logical * blockSize, offset)
                let to = min((logical + 1) * blockSize, end)
                let part = bytes[Int(from - offset)..<Int(to - offset)]
                if part.count == geometry.blockSize {
                    try store(Array(part), at: number, role: .data)
                    continue
                }
                // Edges keep what they held; a block that was a hole or preallocated held zeros.
                let held = written.contains { $0.logical <= logical && logical < $0.end }
                var block = held ? try self.block(number) : [UInt8](repeating: 0, count: geometry.blockSize)
                let start = Int(from - logical * blockSize)
                block.replaceSubrange(start..<start + part.count, with: part)
                try store(block, at: number, role: .data)
            }
        }
        for run in filled.runs + behind { after.append(run) }
        inode.flags.remove(.endOfFileBlocks)
        try store(after, replacing: before, in: &inode)
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
