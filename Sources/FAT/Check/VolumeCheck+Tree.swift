internal import Storage

extension VolumeCheck {
    /// A directory that is still to be looked at.
    private struct Pending {
        var place: DirectoryPlace
        /// Nil for the root, and for what lies in it.
        var parent: ClusterNumber?
        /// Its name, nil for the root, and how much of the path leads to what holds it.
        var name: [UInt8]?
        var parentLength = 0
    }

    /// Every directory, every name, every chain. A cluster is gone through once, whatever the directories say.
    mutating func checkTree() throws(StorageError) {
        var pending: [Pending] = []
        let root = fileSystem.rootPlace
        if case .chain(let first) = root {
            if try claim(from: first, nil) != nil { pending.append(Pending(place: root)) }
        } else {
            pending.append(Pending(place: root))
        }
        while let directory = pending.popLast() {
            try Cancellation.check()
            path.enter(directory.name, below: directory.parentLength)
            do throws(StorageError) {
                try check(directory, &pending)
            } catch {
                try add(error, in: path.text())
            }
        }
    }

    private mutating func check(_ directory: Pending, _ pending: inout [Pending]) throws(StorageError) {
        let isRoot = directory.name == nil
        var dots: [UInt64] = []
        if !isRoot, case .chain(let first) = directory.place {
            try checkDots(of: first, parent: directory.parent)
            let start = geometry.byteOffset(of: first)
            dots = [start, start + UInt64(DirectorySlot.byteCount)]
        }
        var assembler = EntryAssembler(fileSystem.codePage)
        var names: Set<[UInt16]> = []
        var shortNames: Set<[UInt8]> = []
        var entries: [FileEntry] = []
        var misplaced: [FileEntry] = []
        try fileSystem.forEachSlot(of: directory.place) { (slot, place) throws(StorageError) in
            guard let entry = assembler.feed(slot, at: place) else { return true }
            if !slot.isDot {
                entries.append(entry)
            } else if !dots.contains(place) {
                misplaced.append(entry)
            }
            return true
        }
        for entry in misplaced {
            add(
                .damage, .badDotEntries,
                "\(path.text(of: entry.shortName.bytes)): an entry of this name is where no directory has one; run "
                    + "fsck.vfat, which gives it another name", structure: "directory entry",
                offset: entry.place)
        }
        assembler.dropPieces()
        if let first = assembler.orphans.first {
            add(
                .warning, .orphanedLongName,
                "\(path.text()): \(assembler.orphans.count) pieces of long names belong to no file",
                structure: "directory entry", offset: first)
        }
        for entry in entries {
            checkName(entry)
            if !shortNames.insert(entry.slot.rawName).inserted || !names.insert(nameKey(of: entry)).inserted {
                add(
                    .damage, .duplicateName, "\(path.text(of: entry.name)): another file has the same name",
                    structure: "directory entry", offset: entry.place)
            }
            if entry.slot.isDirectory {
                guard let place = try self.place(of: entry), let first = place.cluster,
                    try claim(from: first, entry.name) != nil
                else { continue }
                pending.append(
                    Pending(
                        place: place, parent: isRoot ? nil : directory.place.cluster, name: entry.name,
                        parentLength: path.length))
            } else {
                try checkContents(entry)
            }
        }
    }

    private func nameKey(of entry: FileEntry) -> [UInt16] { (entry.longName ?? entry.shortName).folded }

    private mutating func place(of entry: FileEntry) throws(StorageError) -> DirectoryPlace? {
        do throws(StorageError) {
            return try fileSystem.place(of: entry.slot, at: entry.place)
        } catch {
            try add(error, in: path.text(of: entry.name))
            return nil
        }
    }

    private mutating func checkName(_ entry: FileEntry) {
        let raw = entry.slot.rawName
        // The second of two bytes may look like one of these.
        let stored = [raw[0] == 5 ? 0xe5 : raw[0]] + raw.dropFirst()
        let isBad = [stored[..<8], stored[8...]].contains { part in
            fileSystem.codePage.units(part).contains { $0 < 0x20 || ShortName.forbidden.contains($0) }
        }
        let longIsBad =
            entry.longName?.units.contains { $0 < 0x20 || ShortName.forbidden.contains($0) } ?? false
        let isUnsound = !DirectoryEntry.isSound(name: entry.name)
        guard isBad || longIsBad || isUnsound || raw[0] == 0x20 else { return }
        add(
            isUnsound ? .damage : .warning, .badName,
            "\(path.text(of: entry.name)): no file can have this name"
                + (isUnsound ? "; \(entry.waysOutOfBadName)" : ""), structure: "directory entry",
            offset: entry.place)
    }

    private mutating func checkDots(
        of first: ClusterNumber, parent: ClusterNumber?
    ) throws(StorageError) {
        let size = DirectorySlot.byteCount
        let bytes = try fileSystem.metadata(at: geometry.byteOffset(of: first), count: 2 * size)
        let dot = DirectorySlot(Array(bytes[..<size]))
        let dots = DirectorySlot(Array(bytes[size...]))
        let up = dots.firstCluster(geometry.width)
        let isUp =
            parent.map { up == $0 }
            ?? (up.rawValue == 0 || geometry.width == .fat32 && up == geometry.rootCluster)
        guard dot.rawName == DirectorySlot.dotName, dot.firstCluster(geometry.width) == first,
            dot.isDirectory,
            dots.rawName == DirectorySlot.parentName, dots.isDirectory, isUp
        else {
            return add(
                .damage, .badDotEntries,
                "\(path.text()): its first two entries do not lead to it and to what holds it",
                structure: "directory entry ..", offset: geometry.byteOffset(of: first))
        }
    }

    private mutating func checkContents(_ entry: FileEntry) throws(StorageError) {
        let first = entry.slot.firstCluster(geometry.width)
        let needed = geometry.clusterCount(for: UInt64(entry.slot.size))
        guard first.rawValue != 0 else {
            if needed > 0 {
                add(
                    .damage, .chainTooShort,
                    "\(path.text(of: entry.name)): it has \(entry.slot.size) bytes and no cluster",
                    structure: "directory entry", offset: entry.place)
            }
            return
        }
        guard let count = try claim(from: first, entry.name) else { return }
        if UInt64(count) < needed {
            add(
                .damage, .chainTooShort,
                "\(path.text(of: entry.name)): it has \(entry.slot.size) bytes, and a chain of \(count) clusters, which "
                    + "is too short", structure: "directory entry", offset: entry.place)
        } else if UInt64(count) > needed {
            add(
                .warning, .chainTooLong,
                "\(path.text(of: entry.name)): it has \(entry.slot.size) bytes, and a chain of \(count) clusters, which "
                    + "is too long", structure: "directory entry", offset: entry.place)
        }
    }

    /// Claims a chain for a file of the directory, or for the root without a name; how many clusters it has, or nil where it
    /// was found to be wrong.
    private mutating func claim(
        from first: ClusterNumber, _ name: [UInt8]?
    ) throws(StorageError) -> UInt32? {
        var cluster = first
        var count: UInt32 = 0
        guard geometry.contains(first) else {
            add(
                .damage, .clusterOutOfRange,
                "\(path.text(of: name)): it begins with cluster \(first), which the volume has not",
                structure: "directory entry")
            return nil
        }
        while true {
            guard claimed.insert(cluster.rawValue) else {
                let isOwn = try isAmong(cluster, first, count)
                add(
                    .damage, isOwn ? .chainLoop : .crossLinked,
                    isOwn
                        ? "\(path.text(of: name)): its chain runs in a circle at cluster \(cluster)"
                        : "\(path.text(of: name)): it shares cluster \(cluster) with another file",
                    structure: "FAT",
                    offset: geometry.tablePlace(of: cluster.rawValue, in: geometry.activeTable).offset)
                return nil
            }
            count += 1
            if count % 0x10000 == 0 { try Cancellation.check() }
            let offset = geometry.tablePlace(of: cluster.rawValue, in: geometry.activeTable).offset
            switch try fileSystem.tableEntry(of: cluster) {
            case .next(let next): cluster = next
            case .end: return count
            case .free:
                add(
                    .damage, .freeClusterInChain,
                    "\(path.text(of: name)): its chain leads to cluster \(cluster), which is free",
                    structure: "FAT", offset: offset)
                return nil
            case .bad:
                add(
                    .damage, .badClusterInChain,
                    "\(path.text(of: name)): its chain leads to cluster \(cluster), which is marked as bad",
                    structure: "FAT",
                    offset: offset)
                return nil
            case .invalid(let value):
                add(
                    .damage, .clusterOutOfRange,
                    "\(path.text(of: name)): its chain leads to cluster \(value), which the volume has not",
                    structure: "FAT",
                    offset: offset)
                return nil
            }
        }
    }

    /// Whether a cluster is among the first `count` of a chain.
    private func isAmong(
        _ wanted: ClusterNumber, _ first: ClusterNumber, _ count: UInt32
    ) throws(StorageError) -> Bool {
        var cluster = first
        for _ in 0..<count {
            if cluster == wanted { return true }
            guard case .next(let next) = try fileSystem.tableEntry(of: cluster) else { return false }
            cluster = next
        }
        return false
    }
}
