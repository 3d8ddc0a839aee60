internal import Storage

extension VolumeView {
    /// Reads a file's contents; returns how many bytes, 0 at the end. Runs that lie side by side are read at once.
    func read(
        _ inode: Inode, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int {
        let size = inode.size(geometry)
        guard offset < size else { return 0 }
        let count = Int(min(UInt64(target.byteCount), size - offset))
        guard count > 0 else { return 0 }
        if inode.flags.contains(.inlineData) {
            let data = try inlineData(of: inode)
            let from = min(Int(clamping: offset), data.count)
            let length = min(count, data.count - from)
            target.copy(data.span8.extracting(from..<from + length), to: 0)
            // What i_size covers and nobody stored is zero.
            target.zero(length..<count)
            return count
        }
        let blockSize = UInt64(geometry.blockSize)
        var done = 0
        while done < count {
            let position = offset + UInt64(done)
            let skip = Int(position % blockSize)
            let wanted = UInt64(skip + count - done).dividedRoundingUp(by: blockSize)
            var run = try run(of: inode, at: position / blockSize)
            while run.count < wanted, case .written(let first) = run.place {
                let next = try self.run(of: inode, at: run.end)
                guard next.place == .written(first.advanced(by: run.count)) else { break }
                run.count += next.count
            }
            let length = Int(min(UInt64(count - done + skip), min(run.count, wanted) * blockSize)) - skip
            if case .written(let first) = run.place {
                var part = target.part(done..<done + length)
                try readData(into: &part, from: first, skip: skip)
            } else {
                target.zero(done..<done + length)
            }
            done += length
        }
        return count
    }

    /// Throws unless the contents can be read: a regular file that is neither encrypted nor compressed.
    func requireReadable(_ inode: Inode) throws(StorageError) {
        guard inode.type == .regular else {
            throw .ext4(.misuse, .notARegularFile, "\(inode.name) is not a regular file")
        }
        try requirePlain(inode)
        try requirePossibleSize(inode)
    }

    /// Throws for contents that are encrypted or compressed.
    func requirePlain(_ inode: Inode) throws(StorageError) {
        if inode.flags.contains(.encrypted) {
            throw .ext4(
                .unsupported, .encrypted, "\(inode.name) is encrypted (fscrypt); its contents cannot be read")
        }
        if inode.flags.contains(.compressed), geometry.incompatible.contains(.compression) {
            throw .ext4(.unsupported, .compressed, "\(inode.name) is compressed; its contents cannot be read")
        }
    }

    /// Contents kept in the inode: up to 60 bytes in i_block, the rest as the attribute system.data.
    func inlineData(of inode: Inode) throws(StorageError) -> [UInt8] {
        let size = inode.size(geometry)
        let head = inode.bytes[Inode.mapRange]
        let overflow = try inlineOverflow(of: inode) ?? []
        let data = head + overflow
        return Array(data.prefix(Int(clamping: size)))
    }

    /// The value of system.data; nil where the inode has no such attribute.
    func inlineOverflow(of inode: Inode) throws(StorageError) -> [UInt8]? {
        guard let area = inodeAttributeArea(inode) else { return nil }
        return try entries(of: area, inode).first { $0.name == .inlineData }?.value
    }

    /// Where a symbolic link points.
    func symbolicLinkTarget(of inode: Inode) throws(StorageError) -> [UInt8] {
        guard inode.type == .symbolicLink else {
            throw .ext4(.misuse, .notASymbolicLink, "\(inode.name) is not a symbolic link")
        }
        try requirePlain(inode)
        let size = inode.size(geometry)
        guard size > 0, size <= UInt64(min(geometry.blockSize, 4096)) else {
            throw .ext4(
                .corrupt, .badInode, "the symbolic link \(inode.name) claims \(size) bytes; run e2fsck",
                structure: "inode", field: "i_size",
                offset: geometry.byteOffset(of: inode.block) + UInt64(inode.offset))
        }
        var target: [UInt8]
        if isFastSymbolicLink(inode) {
            target = Array(inode.bytes[Inode.Offset.map..<Inode.Offset.map + Int(size)])
        } else {
            target = [UInt8](repeating: 0, count: Int(size))
            _ = try target.withMutableBytes { (span) throws(StorageError) in
                try read(inode, into: &span, at: 0)
            }
        }
        // The kernel ends it there, and whatever else reads it somewhere else.
        guard !target.contains(0) else {
            throw .ext4(
                .corrupt, .badInode, "the target of the symbolic link \(inode.name) holds NUL; run e2fsck",
                structure: "symbolic link",
                offset: geometry.byteOffset(of: inode.block) + UInt64(inode.offset))
        }
        return target
    }

    /// Whether a link's target lies in i_block: it is short and the inode has no data blocks.
    func isFastSymbolicLink(_ inode: Inode) -> Bool {
        guard inode.size(geometry) < 60, !inode.flags.contains(.inlineData) else { return false }
        if geometry.incompatible.contains(.attributeInodes) { return true }
        let cluster = UInt64(geometry.blockSize) * geometry.clusterRatio
        let attributes = inode.attributeBlock(geometry) == nil ? 0 : cluster
        return inode.allocatedByteCount(geometry) <= attributes
    }
}
