package import Storage

extension Ext4Transaction {
    /// Cuts a regular file, giving its blocks back, or extends it with a hole.
    package func truncate(_ file: FileID, to size: UInt64) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try inode(file)
            try requireWritableContents(inode)
            let old = inode.size(geometry)
            guard size != old else { return }
            try requireReachable(size, in: inode)
            if inode.flags.contains(.inlineData) {
                try resizeInline(&inode, to: size)
            } else {
                try clearSlack(of: inode, behind: min(size, old))
                if size < old { try cut(&inode, to: size) }
            }
            inode.setSize(size, geometry)
            try noteSize(size, of: inode)
            touch(&inode, contents: true)
            try store(inode)
        }
    }

    /// Throws when a file of this kind cannot be `size` bytes long.
    func requireReachable(_ size: UInt64, in inode: Inode) throws(StorageError) {
        let blocks = size.dividedRoundingUp(by: UInt64(geometry.blockSize))
        let hasExtents =
            inode.flags.contains(.extents)
            || inode.flags.contains(.inlineData) && geometry.incompatible.contains(.extents)
        let limit =
            hasExtents
            ? Self.extentLimit - 1 : IndirectMap.firstLogical(slot: 15, pointersPerBlock: pointersPerBlock)
        guard blocks <= limit else {
            throw .ext4(.refused, .fileTooLong, "\(inode.name) cannot be \(size) bytes long")
        }
    }

    private func cut(_ inode: inout Inode, to size: UInt64) throws(StorageError) {
        let before = try map(of: inode)
        var after = before
        for run in after.removeRuns(from: size.dividedRoundingUp(by: UInt64(geometry.blockSize))) {
            try free(run)
        }
        inode.flags.remove(.endOfFileBlocks)
        try store(after, replacing: before, in: &inode)
    }

    /// Zeroes what lies behind byte `size` in its block, so that it never shows.
    func clearSlack(of inode: Inode, behind size: UInt64) throws(StorageError) {
        let blockSize = UInt64(geometry.blockSize)
        guard size % blockSize != 0,
            case .written(let number) = try run(of: inode, at: size / blockSize).place
        else { return }
        var bytes = try block(number)
        bytes.withMutableBytes { $0.zero(Int(size % blockSize)..<geometry.blockSize) }
        try store(bytes, at: number, role: .data)
    }

    private func resizeInline(_ inode: inout Inode, to size: UInt64) throws(StorageError) {
        let kept = Array(try inlineData(of: inode).prefix(Int(clamping: size)))
        if size <= UInt64(geometry.inodeSize) {
            let padded = kept + [UInt8](repeating: 0, count: Int(size) - kept.count)
            if try !replaceInline(padded, in: &inode) { try replaceBlocks(padded, in: &inode) }
            return
        }
        try moveOutOfInode(&inode, contents: kept)
    }

    /// Moves contents that no longer fit the inode to blocks.
    func moveOutOfInode(_ inode: inout Inode, contents: [UInt8]) throws(StorageError) {
        guard let area = inodeAttributeArea(inode) else {
            throw .ext4(
                .corrupt, .badInlineData, "\(inode.name) has inline data and no system.data; run e2fsck",
                structure: "inode")
        }
        let others = try entries(of: area, inode).filter { $0.name != .inlineData }
        try leaveInline(&inode, area: area, entries: others)
        try replaceBlocks(contents, in: &inode)
    }
}
