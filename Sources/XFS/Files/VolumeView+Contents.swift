internal import Storage

extension VolumeView {
    /// Reads a file's contents; returns how many bytes, 0 at the end. Runs that lie side by side are read at once.
    func read(
        _ inode: Inode, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int {
        guard inode.type == .regular else {
            throw .xfs(.misuse, .notARegularFile, "\(inode.name) is not a regular file")
        }
        guard offset < inode.size else { return 0 }
        let count = Int(min(UInt64(target.byteCount), inode.size - offset))
        let blockSize = UInt64(geometry.blockSize)
        var done = 0
        while done < count {
            let position = offset + UInt64(done)
            let skip = position % blockSize
            let run = try run(of: inode, at: position / blockSize)
            let length = Int(min(UInt64(count - done), (run.count *? blockSize ?? .max) - skip))
            if case .written(let first) = run.place {
                var part = target.part(done..<done + length)
                try readData(into: &part, at: geometry.position(of: first) + skip)
            } else {
                target.zero(done..<done + length)
            }
            done += length
        }
        return count
    }

    /// Where a symbolic link points: in the inode, or in blocks with a header of 56 bytes each extent (version 5).
    func symbolicLinkTarget(of inode: Inode) throws(StorageError) -> [UInt8] {
        guard inode.type == .symbolicLink else {
            throw .xfs(.misuse, .notASymbolicLink, "\(inode.name) is not a symbolic link")
        }
        guard (1...1024).contains(inode.size) else { throw badLink(inode, inode.position) }
        let size = Int(inode.size)
        if inode.format(.data) == .local {
            let start = inode.range(.data).lowerBound
            let target = Array(inode.bytes[start..<start + size])
            guard !target.contains(0) else { throw badLink(inode, inode.position) }
            return target
        }
        var result: [UInt8] = []
        var block: UInt64 = 0
        let header = geometry.hasChecksums ? 56 : 0
        let limit = UInt64(2 * 1024 / geometry.blockSize + 2)
        while result.count < size {
            let run = try run(of: inode, at: block)
            guard case .written(let first) = run.place, block < limit else {
                throw badLink(inode, inode.position)
            }
            let count = min(run.count, limit)
            let position = geometry.position(of: first)
            let bytes = try buffer(at: position, count: Int(count) * geometry.blockSize)
            let length = min(size - result.count, bytes.count - header)
            if header > 0 {
                guard bytes.span8.matches(Array("XSLM".utf8)),
                    bytes.big(4, as: UInt32.self) == UInt32(result.count)
                else { throw badLink(inode, position) }
                try verify(
                    bytes, .remote, owner: inode.number.rawValue, at: position, code: .badSymbolicLink,
                    checksumCode: .badSymbolicLink, structure: "symbolic link")
                guard length > 0, bytes.big(8, as: UInt32.self) == UInt32(length) else {
                    throw badLink(inode, position)
                }
            }
            result += bytes[header..<header + length]
            block += count
        }
        // The kernel ends it there, and whatever else reads it somewhere else.
        guard !result.contains(0) else { throw badLink(inode, inode.position) }
        return result
    }

    private func badLink(_ inode: Inode, _ position: UInt64) -> StorageError {
        .xfs(
            .corrupt, .badSymbolicLink, "the symbolic link \(inode.name) is damaged; run xfs_repair",
            structure: "symbolic link", offset: position)
    }
}
