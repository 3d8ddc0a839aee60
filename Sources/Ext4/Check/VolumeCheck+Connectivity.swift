internal import Storage

extension VolumeCheck {
    /// Every directory hangs below the root, and ".." leads back: pass 3.
    func checkConnectivity() throws(StorageError) {
        let root = InodeNumber.root.rawValue
        guard ledger.type(root) == 2 else {
            sink.add(.noRoot, "the root is not a directory", structure: "inode", inode: root)
            return
        }
        if let dotDot = dotDots[root], dotDot != root {
            sink.add(
                .wrongParent, "the root's \"..\" is inode \(dotDot)", structure: "directory block",
                inode: root)
        }
        var connected: Set<UInt32> = [root]
        for directory in directories where directory != root {
            try Cancellation.check()
            guard let parent = parents[directory] else {
                // An orphan has lost its name and waits to be deleted.
                if !orphans.contains(directory) {
                    sink.add(
                        .unconnected, "directory inode \(directory) has no name", structure: "directory",
                        inode: directory)
                }
                continue
            }
            if let dotDot = dotDots[directory], dotDot != parent {
                sink.add(
                    .wrongParent,
                    "\"..\" of directory inode \(directory) is inode \(dotDot) and not \(parent)",
                    structure: "directory block", inode: directory)
            }
            checkPath(of: directory, &connected)
        }
        checkLostAndFound()
    }

    /// Follows the parents upwards until a directory known to be connected; a circle is not.
    private func checkPath(of directory: UInt32, _ connected: inout Set<UInt32>) {
        var path: Set<UInt32> = []
        var current = directory
        while !connected.contains(current) {
            guard path.insert(current).inserted else {
                sink.add(
                    .unconnected, "directory inode \(directory) is part of a circle", structure: "directory",
                    inode: directory)
                break
            }
            // Without a parent it has been told as unconnected; what hangs below it is not told again.
            guard let parent = parents[current] else { break }
            current = parent
        }
        connected.formUnion(path)
    }

    private func checkLostAndFound() {
        guard let root = try? view.inode(.root),
            let found = try? view.find(Array("lost+found".utf8), in: root)
        else {
            return sink.add(
                .noLostAndFound, "there is no lost+found", structure: "directory", severity: .note)
        }
        if ledger.type(found.inode.rawValue) != 2 {
            sink.add(
                .noLostAndFound, "lost+found is not a directory", structure: "directory",
                inode: found.inode.rawValue)
        }
    }

    /// Names against link counts: pass 4.
    func checkLinks() {
        let orphanFile = view.superblock.word(Superblock.Offset.orphanFile)
        let hasOrphanFile = geometry.compatible.contains(.orphanFile)
        let project = view.superblock.word(0x26c)
        ledger.forEach { number, type, links, references in
            guard number >= geometry.firstInode || number == InodeNumber.root.rawValue else { return }
            if hasOrphanFile && number == orphanFile || number == project { return }
            if orphans.contains(number) { return }
            if references == 0 {
                if attributeInodes.contains(number), valueInodes.contains(number) { return }
                // A directory without a name has been told already.
                if type == 2 { return }
                sink.add(
                    .unattached, "inode \(number) is in use and has no name", structure: "inode",
                    inode: number
                )
            } else if UInt32(links) != references {
                // More than 65,000 subdirectories are not counted: a count of 1 says "many".
                if type == 2, links == 1, geometry.readOnly.contains(.manyLinks), references >= 65_000 {
                    return
                }
                sink.add(
                    .linkCount, "inode \(number) claims \(links) links and has \(references)",
                    structure: "inode", inode: number)
            }
        }
    }
}
