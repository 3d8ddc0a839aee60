internal import Storage

extension VolumeCheck {
    /// What one directory's entries are checked against.
    private struct DirectoryState {
        let directory: Inode
        /// Names so far, to find those that are there twice.
        var names: Set<[UInt8]> = []
        var entryCount = 0
    }

    /// One directory: pass 2.
    func checkDirectory(_ number: UInt32) throws(StorageError) {
        guard
            let inode = try sink.attempt(
                inode: number, { () throws(StorageError) in try view.inode(InodeNumber(number)) })
        else { return }
        var state = DirectoryState(directory: inode)
        if inode.flags.contains(.inlineData) {
            // "." and ".." are not stored, but count as links all the same.
            let parent = inode.word(Inode.Offset.map)
            dotDots[number] = parent
            ledger.addReference(number)
            if (1...geometry.inodeCount).contains(parent), ledger.type(parent) != 0 {
                ledger.addReference(parent)
            }
            _ = try sink.attempt(inode: number) { () throws(StorageError) in
                try view.forEachInlineEntry(of: inode) { (block, entry) throws(StorageError) in
                    if !Self.isDots(block.name(of: entry)) {
                        check(entry, in: block, at: offset(of: inode), &state)
                    }
                    return true
                }
            }
            return
        }
        if inode.flags.contains(.indexed), !geometry.compatible.contains(.directoryIndex) {
            add(.directoryIndex, inode, "has an index, which the superblock denies")
        }
        guard
            let end = try sink.attempt(
                inode: number, { () throws(StorageError) in try view.directoryBlockCount(inode) })
        else { return }
        try checkBlocks(of: inode, count: end, &state)
        if inode.flags.contains(.indexed) { try checkIndex(of: inode, blockCount: end) }
    }

    private func checkBlocks(
        of inode: Inode, count end: UInt64, _ state: inout DirectoryState
    ) throws(StorageError) {
        var logical: UInt64 = 0
        while logical < end {
            guard
                let run = try sink.attempt(
                    inode: inode.number.rawValue,
                    { () throws(StorageError) in try view.run(of: inode, at: logical) })
            else { return }
            guard case .written(let first) = run.place else {
                add(.directoryHole, inode, "is a directory with a hole at block \(logical)")
                guard run.count < end - logical else { return }
                logical += run.count
                continue
            }
            for index in 0..<min(run.count, end - logical) {
                let block = first.advanced(by: index)
                let isFirst = logical + index == 0
                try checkBlock(block, isFirst: isFirst, &state)
            }
            guard run.count < end - logical else { return }
            logical += run.count
        }
    }

    private func checkBlock(
        _ number: BlockNumber, isFirst: Bool, _ state: inout DirectoryState
    ) throws(StorageError) {
        let directory = state.directory
        guard
            let block = try sink.attempt(
                inode: directory.number.rawValue,
                { () throws(StorageError) in try view.directoryBlock(at: number, of: directory) })
        else { return }
        let position = geometry.byteOffset(of: number)
        if isFirst { checkDots(in: block, at: position, of: directory) }
        var offset = block.range.lowerBound
        var index = 0
        while offset < block.range.upperBound {
            guard let entry = block.entry(at: offset) else {
                return bad(directory, position + UInt64(offset), "holds a damaged entry")
            }
            if !entry.isFree, !(isFirst && index < 2) {
                check(entry, in: block, at: position, &state)
            }
            offset += entry.recordLength
            index += 1
        }
    }

    /// "." and "..", which begin the first block.
    private func checkDots(in block: DirectoryBlock, at position: UInt64, of directory: Inode) {
        let number = directory.number.rawValue
        guard let dot = block.entry(at: 0), block.hasName(dot, [UInt8(ascii: ".")]), dot.inode == number
        else {
            return bad(directory, position, "does not begin with itself as \".\"")
        }
        guard let dotDot = block.entry(at: dot.recordLength),
            block.hasName(dotDot, [UInt8(ascii: "."), UInt8(ascii: ".")]), dotDot.inode > 0,
            dotDot.inode <= geometry.inodeCount
        else {
            return bad(directory, position + UInt64(dot.recordLength), "has no valid \"..\"")
        }
        ledger.addReference(number)
        dotDots[number] = dotDot.inode
        if ledger.type(dotDot.inode) != 0 { ledger.addReference(dotDot.inode) }
        for entry in [dot, dotDot] where view.hasFileTypes && entry.typeCode != 2 {
            bad(directory, position + UInt64(entry.offset), "has a wrong file type at \".\" or \"..\"")
        }
    }

    /// An entry that is neither "." nor "..".
    private func check(
        _ entry: RawDirectoryEntry, in block: DirectoryBlock, at position: UInt64,
        _ state: inout DirectoryState
    ) {
        let directory = state.directory
        let place = position + UInt64(entry.offset)
        let name = block.name(of: entry)
        guard entry.inode <= geometry.inodeCount else {
            return bad(directory, place, "names inode \(entry.inode), which does not exist")
        }
        if !directory.flags.contains(.encrypted) {
            if name.contains(0) || name.contains(UInt8(ascii: "/")) {
                bad(directory, place, "holds a name with a slash or a zero")
            } else if Self.isDots(name) {
                bad(directory, place, "has \"\(name.displayText)\" a second time")
            }
        }
        if directory.flags.contains(.caseFolded), !directory.flags.contains(.encrypted),
            view.superblock.isStrictlyEncoded, String(validating: name, as: UTF8.self) == nil
        {
            bad(directory, place, "ignores case and holds a name that is not UTF-8")
        }
        state.entryCount += 1
        // The set would take too much memory.
        if state.entryCount == limits.names + 1 {
            sink.add(
                Finding(
                    .memoryBound(
                        "ext4",
                        "\(directory.name) has more than \(limits.names) names, so not all were looked at for doubles; use e2fsck",
                        structure: "directory"), .note, file: FileID(UInt64(directory.number.rawValue))))
        }
        if state.entryCount <= limits.names, !state.names.insert(name).inserted {
            bad(directory, place, "holds \"\(name.displayText)\" twice")
        }
        let type = ledger.type(entry.inode)
        guard entry.inode >= geometry.firstInode || entry.inode == InodeNumber.root.rawValue else {
            return bad(directory, place, "names the reserved inode \(entry.inode)")
        }
        guard type != 0 else {
            return bad(
                directory, place,
                "names \"\(name.displayText)\" as inode \(entry.inode), which is not in use")
        }
        ledger.addReference(entry.inode)
        if directory.flags.contains(.encrypted),
            let defect = encryptionDefect(of: name, entry.inode, type: type, in: directory)
        {
            bad(directory, place, defect)
        }
        if attributeInodes.contains(entry.inode) {
            bad(directory, place, "names inode \(entry.inode), which holds an attribute", .warning)
        }
        if view.hasFileTypes, entry.typeCode != type, entry.typeCode != 0 || type != InodeLedger.unknownType {
            bad(directory, place, "gives \"\(name.displayText)\" another file type than its inode")
        }
        guard type == 2 else { return }
        if entry.inode == InodeNumber.root.rawValue || parents[entry.inode] != nil {
            bad(directory, place, "holds a second name of directory inode \(entry.inode)")
        } else {
            parents[entry.inode] = directory.number.rawValue
        }
    }

    private func bad(
        _ directory: Inode, _ position: UInt64, _ message: String,
        _ severity: Severity = .damage
    ) {
        sink.add(
            .directoryEntry, "directory \(directory.name) \(message)", structure: "directory block",
            offset: position, inode: directory.number.rawValue, severity: severity)
    }

    private static func isDots(_ name: [UInt8]) -> Bool {
        name == [UInt8(ascii: ".")] || name == [UInt8(ascii: "."), UInt8(ascii: ".")]
    }
}
