internal import Storage

/// A name to be, with the slots that it takes.
struct NewName: Sendable {
    let name: FileName
    let directory: DirectoryPlace
    let short: ShortName.Made
    /// Pieces of a long name; empty without one.
    let longSlots: [DirectorySlot]
    let plan: SlotPlan

    /// Where the file's own slot goes.
    var place: UInt64 { plan.places[longSlots.count] }

    /// Whether all of its slots lie in one sector, and `others` in the same.
    func isInOneUnit(with others: [UInt64] = []) -> Bool {
        let unit = place / FATTransaction.unit
        return plan.added.isEmpty && plan.fills.isEmpty
            && (plan.places + others).allSatisfy { $0 / FATTransaction.unit == unit }
    }
}

extension FATTransaction {
    /// Lays out a name for a new file. Throws `bad-name` for what Windows would not take and `exists` where another file
    /// than `own` answers to it.
    func newName(
        _ bytes: [UInt8], in directory: DirectoryPlace, besides own: FileEntry? = nil, clusters: UInt64
    ) throws(StorageError) -> NewName {
        let name = try allowedName(bytes)
        let folded = name.folded
        var taken: Set<[UInt8]> = []
        var exists = false
        try forEachFile(of: directory) { entry in
            if entry.answers(to: folded) {
                // A file that only changes its letters' case may keep its short name.
                exists = entry.place != own?.place
                return !exists
            }
            taken.insert(entry.slot.rawName)
            return true
        }
        guard !exists else {
            throw StorageError(
                .misuse, FileTreeCode.nameTaken,
                "\(bytes.shellText) is there already, in letters of either case", layerName: FATCode.layer)
        }
        guard let short = ShortName.make(name, codePage, taken: taken) else {
            throw .fat(.refused, .directoryFull, "there is no short name left for \(bytes.shellText)")
        }
        let longSlots = short.needsLong ? name.longSlots(for: short.raw) : []
        return NewName(
            name: name, directory: directory, short: short, longSlots: longSlots,
            plan: try plan(longSlots.count + 1, in: directory, more: clusters))
    }

    func allowedName(_ bytes: [UInt8]) throws(StorageError) -> FileName {
        guard DirectoryEntry.isSound(name: bytes), let name = FileName(bytes), name.isAllowed else {
            throw .fat(
                .misuse, .badName,
                "\(bytes.shellText) cannot be a name on FAT: up to 255 letters of UTF-8 without \" * / : < > ? \\ |, and no "
                    + "dot or blank at the end")
        }
        return name
    }

    /// Before a file gets a name that the stage takes from another, the stage ends: a cut would leave both.
    func requireNameGone(_ new: NewName) {
        var slot = DirectorySlot(new.short.raw + [UInt8](repeating: 0, count: 21))
        slot.bytes[DirectorySlot.Offset.caseFlags] = new.short.caseFlags
        let short = FileName(units: ShortName.units(slot, codePage))
        let names = [new.name.folded, short.folded].map {
            Stage.GoneName(directory: new.directory, folded: $0)
        }
        if names.contains(where: stage.goneNames.contains) { endStage() }
    }

    /// Puts a file's slots into its directory: `slot` with the new name, and the pieces of the long one.
    func enter(_ slot: DirectorySlot, as new: NewName) throws(StorageError) {
        var slot = slot
        slot.bytes.replaceSubrange(0..<11, with: new.short.raw)
        slot.bytes[DirectorySlot.Offset.caseFlags] = new.short.caseFlags
        try apply(new.plan)
        let unit = new.place / Self.unit
        let pieces = Array(zip(new.plan.places, new.longSlots))
        for (place, piece) in pieces where place / Self.unit != unit {
            try patch(piece.bytes, at: place, in: .longNames)
        }
        for (place, piece) in pieces where place / Self.unit == unit {
            try patch(piece.bytes, at: place, in: .names)
        }
        try patch(slot.bytes, at: new.place, in: .names)
    }

    /// Takes a file's slots out of its directory. Pieces of a long name in other sectors go last.
    func withdraw(
        _ entry: FileEntry, from directory: DirectoryPlace, in phase: Stage.Phase
    ) throws(StorageError) {
        let unit = entry.place / Self.unit
        for place in entry.longPlaces where place / Self.unit == unit { try delete(place, in: phase) }
        try delete(entry.place, in: phase)
        noteGone(entry, from: directory)
        for place in entry.longPlaces where place / Self.unit != unit { try delete(place, in: .freed) }
    }

    private func delete(_ place: UInt64, in phase: Stage.Phase) throws(StorageError) {
        var bytes = try metadata(at: place, count: DirectorySlot.byteCount)
        bytes[0] = DirectorySlot.deletedMark
        try patch(bytes, at: place, in: phase)
    }

    private func noteGone(_ entry: FileEntry, from directory: DirectoryPlace) {
        for name in [entry.shortName, entry.longName].compactMap(\.self) {
            stage.goneNames.insert(Stage.GoneName(directory: directory, folded: name.folded))
        }
    }

    /// The file of that name. Throws `no-entry`.
    func requireEntry(_ name: [UInt8], in directory: DirectoryPlace) throws(StorageError) -> FileEntry {
        guard DirectoryEntry.isSound(name: name), let wanted = FileName(name),
            let entry = try find(wanted, in: directory)
        else {
            throw .fat(.misuse, .noEntry, "\(name.shellText) is not in the directory")
        }
        return entry
    }

    /// Throws `not-empty` when a directory holds files.
    func requireEmpty(_ entry: FileEntry) throws(StorageError) {
        var isEmpty = true
        try forEachFile(of: place(of: entry.slot, at: entry.place)) { _ in
            isEmpty = false
            return false
        }
        guard isEmpty else {
            throw .fat(.refused, .notEmpty, "directory \(entry.name.shellText) is not empty")
        }
    }

    /// How a directory's number stands in entries: 0 for the root.
    func number(of directory: DirectoryPlace) -> UInt32 {
        directory == rootPlace ? 0 : directory.cluster?.rawValue ?? 0
    }
}
