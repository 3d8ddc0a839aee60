internal import Storage

extension ImageReading {
    /// Reads an entry that begins at the input's position, and passes over its padding. `offset` is the byte of the image
    /// that errors name. True says that it was the end of an archive.
    func readEntry(
        _ input: inout EntryInput, offset: UInt64, _ isWanted: Filter
    ) throws(StorageError) -> Bool {
        try Cancellation.check()
        let start = input.position
        guard let bytes = try input.take(CpioHeader.byteCount) else { throw cut("a header", offset) }
        let header = try CpioHeader(bytes, at: offset)
        guard !header.isPassedOver else {
            let name = (UInt64(CpioHeader.byteCount) + UInt64(header.nameSize) + 3) / 4 * 4
            let rest = name - UInt64(CpioHeader.byteCount) + UInt64(header.size)
            guard try input.skip(rest) else { throw cut("an entry", offset) }
            try pad(&input, from: start)
            return false
        }
        guard let named = try input.take(Int(header.nameSize)) else { throw cut("a name", offset) }
        guard named.last == 0 else {
            throw .initramfs(.corrupt, .badName, "an entry's name has no end", offset: offset)
        }
        try pad(&input, from: start)
        let name = Array(named.prefix { $0 != 0 })
        if name == Array("TRAILER!!!".utf8) {
            links = [:]
            guard try input.skip(UInt64(header.size)) else { throw cut("an archive's end", offset) }
            try pad(&input, from: start)
            return true
        }
        guard let path = try EntryName.path(name, at: offset),
            let type = FileType(mode: UInt16(truncatingIfNeeded: header.mode)),
            type == .regular || type == .symbolicLink || header.size == 0
        else {
            // A name that no file can have, no type, or a directory with contents: nothing comes of it.
            if header.size == 0, let path = try EntryName.path(name, at: offset) { result.tree.remove(path) }
            guard try input.skip(UInt64(header.size)) else { throw cut("an entry", offset) }
            try pad(&input, from: start)
            return false
        }
        try readBody(try entry(header, path, type, offset), header, &input, offset, isWanted)
        try pad(&input, from: start)
        return false
    }

    private func cut(_ what: String, _ offset: UInt64) -> StorageError {
        .initramfs(.corrupt, .cutShort, "the image ends, or the stream in it, within \(what)", offset: offset)
    }

    /// To the next multiple of four; the end may come before it.
    private func pad(_ input: inout EntryInput, from start: UInt64) throws(StorageError) {
        let rest = (input.position - start) % 4
        guard rest > 0 else { return }
        _ = try input.take(min(Int(4 - rest), try input.peek(Int(4 - rest)).count))
    }

    private func entry(
        _ header: CpioHeader, _ path: [UInt8], _ type: FileType, _ offset: UInt64
    ) throws(StorageError) -> InitramfsEntry {
        nameByteCount += path.count
        guard result.entries.count < limits.entryCount, nameByteCount <= limits.nameByteCount else {
            throw .memoryBound(
                InitramfsCode.layer,
                "the image has more than \(result.entries.count) entries, more than are read",
                offset: offset)
        }
        var entry = InitramfsEntry(
            path: path, type: type, permissions: UInt16(truncatingIfNeeded: header.mode) & 0o7777,
            owner: header.owner, group: header.group, size: UInt64(header.size),
            member: result.members.count, isUnpacked: false)
        if type == .characterDevice || type == .blockDevice {
            entry.deviceNumber = .init(major: header.nodeMajor, minor: header.nodeMinor)
        }
        return entry
    }

    private func readBody(
        _ entry: InitramfsEntry, _ header: CpioHeader, _ input: inout EntryInput, _ offset: UInt64,
        _ isWanted: Filter
    ) throws(StorageError) {
        var entry = entry
        let index = result.entries.count
        switch entry.type {
        case .regular:
            let place = placeFile(entry, header, index)
            entry.isUnpacked = place != nil
            try readContents(entry, header, place, &input, offset, isWanted)
        case .symbolicLink:
            guard let target = try input.take(Int(header.size)) else { throw cut("a link", offset) }
            nameByteCount += target.count
            entry.target = Array(target.prefix { $0 != 0 })
            entry.isUnpacked = result.tree.add(entry, index: index) != nil
        default:
            entry.isUnpacked = result.tree.add(entry, index: index) != nil
        }
        result.entries.append(entry)
        guard result.tree.walked <= limits.stepCount else {
            throw .initramfs(
                .refused, .tooLong, "the links in the image lead over more than \(limits.stepCount) steps",
                offset: offset)
        }
    }

    /// Where a regular file goes: to a place of its own, or beside the file whose name it is.
    private func placeFile(
        _ entry: InitramfsEntry, _ header: CpioHeader, _ index: Int
    ) -> (path: [UInt8], contents: Int)? {
        guard header.linkCount >= 2 else { return result.tree.addFile(entry, index: index) }
        let key = LinkKey(
            device: UInt64(header.deviceMajor) << 32 | UInt64(header.deviceMinor), inode: header.inode,
            mode: header.mode)
        if let first = links[key] { return result.tree.addName(entry, index: index, of: first) }
        let place = result.tree.addFile(entry, index: index)
        if let place { links[key] = place.path }
        return place
    }

    private func readContents(
        _ entry: InitramfsEntry, _ header: CpioHeader, _ place: (path: [UInt8], contents: Int)?,
        _ input: inout EntryInput, _ offset: UInt64, _ isWanted: Filter
    ) throws(StorageError) {
        if let place, entry.size > 0, let old = result.held.removeValue(forKey: place.contents) {
            heldByteCount -= old.count
        }
        var bytes: [UInt8]?
        if let place, entry.size > 0, isWanted(place.path, entry.size, place.contents) {
            if entry.size <= UInt64(limits.heldByteCount - heldByteCount) {
                bytes = []
            } else {
                result.omitted.insert(place.path)
            }
        }
        if bytes == nil, !header.isChecked {
            guard try input.skip(entry.size) else { throw cut(entry.path.shellText, offset) }
            return
        }
        var sum: UInt32 = 0
        let isWhole = try input.forEachPiece(entry.size) { (piece) throws(StorageError) in
            bytes? += piece.array(0..<piece.byteCount)
            guard header.isChecked else { return }
            for index in 0..<piece.byteCount { sum &+= UInt32(piece.byte(index)) }
        }
        guard isWhole else { throw cut(entry.path.shellText, offset) }
        guard !header.isChecked || sum == header.checksum else {
            throw .initramfs(
                .corrupt, .badChecksum, "the checksum of \(entry.path.shellText) is wrong", offset: offset,
                field: "c_check")
        }
        if let place, let bytes {
            heldByteCount += bytes.count
            result.held[place.contents] = bytes
        }
    }
}
