package import Storage

extension FATTransaction {
    /// Longer files move without a copy.
    private static var copyLimit: UInt64 { 16 << 20 }

    /// Removes a file, or an empty directory.
    package func remove(_ name: [UInt8], in directory: FileID) throws(StorageError) {
        try perform { () throws(StorageError) in
            let parent = try place(of: directory)
            let entry = try requireEntry(name, in: parent)
            if entry.slot.isDirectory { try requireEmpty(entry) }
            // What moves out of what goes has its new name first.
            if stage.moves { endStage() }
            try withdraw(entry, from: parent, in: .names)
            try freeChain(from: entry.slot.firstCluster(geometry.width))
        }
    }

    /// Moves a name, replacing what has the new one as rename(2) does. The file's key is another then.
    ///
    /// Within one sector that is one write. Otherwise a file moves by a copy of its contents, so that at a cut it has its
    /// old name or its new one or both. A directory, and a file for which there is no room, loses its old name first: two
    /// names for one chain would be worse than lost clusters, from which fsck.vfat makes a file.
    @discardableResult
    package func rename(
        _ name: [UInt8], in directory: FileID, to newName: [UInt8], in newDirectory: FileID
    ) throws(StorageError) -> FileID {
        try perform { () throws(StorageError) -> FileID in
            let source = try place(of: directory)
            let target = try place(of: newDirectory)
            let moved = try requireEntry(name, in: source)
            let wanted = try allowedName(newName)
            if let old = try find(wanted, in: target), old.place != moved.place {
                try requireReplaceable(old, by: moved)
                if moved.slot.isDirectory, source != target { try requireNotInside(target, moved) }
                try replace(old, by: moved, from: source, to: target)
                return old.id
            } else if source == target, wanted.units == (moved.longName ?? moved.shortName).units {
                return moved.id
            }
            if moved.slot.isDirectory, source != target { try requireNotInside(target, moved) }
            return try move(moved, from: source, to: newName, in: target)
        }
    }

    private func move(
        _ moved: FileEntry, from source: DirectoryPlace, to name: [UInt8], in target: DirectoryPlace
    ) throws(StorageError) -> FileID {
        let isSame = source == target
        let new = try newName(name, in: target, besides: isSame ? moved : nil, clusters: 0)
        let keepsName =
            isSame
            && [moved.shortName, moved.longName].compactMap(\.self).contains { $0.folded == new.name.folded }
        requireNameGone(new)
        var slot = moved.slot
        if isSame, new.isInOneUnit(with: moved.longPlaces + [moved.place]) {
            try withdraw(moved, from: source, in: .names)
            try enter(slot, as: new)
            return FileID(new.place)
        }
        // Both names may be there at a cut, so they must not be one.
        let copy = keepsName ? nil : try copy(of: moved)
        guard let copy else {
            try withdrawFirst(moved, from: source, to: target)
            try enter(slot, as: new)
            return FileID(new.place)
        }
        slot.setFirstCluster(copy, geometry.width)
        try enter(slot, as: new)
        try withdrawLast(moved, from: source)
        return FileID(new.place)
    }

    /// Gives a name, with its slot, to another file.
    private func replace(
        _ old: FileEntry, by moved: FileEntry, from source: DirectoryPlace, to target: DirectoryPlace
    ) throws(StorageError) {
        let isOneUnit =
            source == target
            && (moved.longPlaces + [moved.place]).allSatisfy { $0 / Self.unit == old.place / Self.unit }
        var slot = moved.slot
        slot.bytes.replaceSubrange(0..<11, with: old.slot.rawName)
        slot.bytes[DirectorySlot.Offset.caseFlags] = old.slot.bytes[DirectorySlot.Offset.caseFlags]
        let copy = isOneUnit ? nil : try copy(of: moved)
        if let copy {
            slot.setFirstCluster(copy, geometry.width)
        } else if !isOneUnit {
            try withdrawFirst(moved, from: source, to: target)
        }
        try patch(slot.bytes, at: old.place, in: .names)
        if isOneUnit { try withdraw(moved, from: source, in: .names) }
        if copy != nil { try withdrawLast(moved, from: source) }
        try freeChain(from: old.slot.firstCluster(geometry.width))
    }

    /// A copy of a file's contents; nil where there is none to be made, 0 for an empty file.
    private func copy(of entry: FileEntry) throws(StorageError) -> UInt32? {
        guard !entry.slot.isDirectory, UInt64(entry.slot.size) <= Self.copyLimit else { return nil }
        let needed = geometry.clusterCount(for: UInt64(entry.slot.size))
        guard needed <= UInt64(space.clusters.count + stage.freed.count) else { return nil }
        // Two files would have the same chain, whose clusters no size needs.
        guard needed > 0 || entry.slot.firstCluster(geometry.width).rawValue == 0 else { return nil }
        return try makeChain(contents(of: entry.id, limit: .max))
    }

    /// The old name goes before the new one comes; a directory learns what holds it while it has none.
    private func withdrawFirst(
        _ moved: FileEntry, from source: DirectoryPlace, to target: DirectoryPlace
    ) throws(StorageError) {
        // What moves out of a directory has its new name before the directory goes.
        if stage.moves { endStage() }
        try withdraw(moved, from: source, in: .oldNames)
        guard moved.slot.isDirectory, source != target else { return }
        let first = moved.slot.firstCluster(geometry.width)
        let place = geometry.byteOffset(of: first) + UInt64(DirectorySlot.byteCount)
        var up = DirectorySlot(try metadata(at: place, count: DirectorySlot.byteCount))
        up.setFirstCluster(number(of: target), geometry.width)
        try patch(up.bytes, at: place, in: .longNames)
    }

    /// The old name, and the chain that was copied, go when the new one is there.
    private func withdrawLast(_ moved: FileEntry, from source: DirectoryPlace) throws(StorageError) {
        try withdraw(moved, from: source, in: .movedNames)
        stage.moves = true
        try freeChain(from: moved.slot.firstCluster(geometry.width))
    }

    private func requireReplaceable(_ old: FileEntry, by moved: FileEntry) throws(StorageError) {
        try old.slot.type.requireReplaceable(by: moved.slot.type, layer: FATCode.layer)
        if old.slot.isDirectory { try requireEmpty(old) }
    }

    /// Throws when `directory` lies in `moved`: it would cut itself off.
    private func requireNotInside(_ directory: DirectoryPlace, _ moved: FileEntry) throws(StorageError) {
        let first = moved.slot.firstCluster(geometry.width)
        var seen: Set<ClusterNumber> = []
        var next = directory == rootPlace ? nil : directory.cluster
        while let cluster = next {
            guard cluster != first, seen.insert(cluster).inserted else {
                throw .fat(.misuse, .intoItself, "a directory cannot be moved into itself")
            }
            next = try parentCluster(of: cluster)
        }
    }
}
