internal import Storage

/// A file's slot with the pieces of its long name.
struct FileEntry: Sendable {
    /// Where the slot lies, in bytes from the volume's start. It is the file's key.
    let place: UInt64
    var slot: DirectorySlot
    /// Where the pieces of the long name lie; empty without one.
    let longPlaces: [UInt64]
    /// The long name; nil without one.
    let longName: FileName?
    /// The short name as it is shown.
    let shortName: FileName

    /// What it is called: the long name, where path components can be that long.
    var name: [UInt8] {
        if let bytes = longName?.bytes, bytes.count <= 255 { return bytes }
        return shortName.bytes
    }

    /// Whether it answers to a name, whose `FileName.folded` is given.
    func answers(to folded: [UInt16]) -> Bool {
        if let longName, longName.units.count == folded.count, longName.folded == folded { return true }
        return shortName.units.count == folded.count && shortName.folded == folded
    }

    /// Its key.
    var id: FileID { FileID(place) }

    /// How a name that no path can have is got rid of: fsck.vfat looks at short names alone, by which guests reach the file.
    var waysOutOfBadName: String {
        guard longName != nil, name != shortName.bytes, DirectoryEntry.isSound(name: shortName.bytes) else {
            return "run fsck.vfat, which gives the file another one"
        }
        return
            "fsck.vfat leaves it; give the file another one by its short name, \(shortName.bytes.shellText), in the "
            + "guest or with mren"
    }
}

/// Puts a directory's entries together from its slots, which are fed in their order.
struct EntryAssembler {
    private let codePage: CodePage
    /// Pieces as they came: the last piece of the name first.
    private var pieces: [(place: UInt64, units: [UInt16])] = []
    private var expected: UInt8 = 0
    private var checksum: UInt8 = 0
    /// Pieces that belong to no entry, by place.
    private(set) var orphans: [UInt64] = []

    init(_ codePage: CodePage) { self.codePage = codePage }

    /// The next slot, which is in use or deleted; the entry that it completes.
    mutating func feed(_ slot: DirectorySlot, at place: UInt64) -> FileEntry? {
        if slot.isLongPart {
            takePiece(slot, at: place)
            return nil
        }
        guard slot.isFile else {
            dropPieces()
            return nil
        }
        var name: FileName?
        var places: [UInt64] = []
        if expected == 0, !pieces.isEmpty, checksum == DirectorySlot.checksum(slot.rawName) {
            let units = pieces.reversed().flatMap(\.units)
            name = FileName(units: Array(units.prefix { $0 != 0 }))
            places = pieces.map(\.place)
            pieces = []
        }
        dropPieces()
        return FileEntry(
            place: place, slot: slot, longPlaces: places, longName: name,
            shortName: FileName(units: ShortName.units(slot, codePage)))
    }

    private mutating func takePiece(_ slot: DirectorySlot, at place: UInt64) {
        let number = slot.order & 0x3f
        if slot.order & 0x40 != 0 {
            dropPieces()
            guard (1...20).contains(number), slot.order & 0x80 == 0 else { return orphans.append(place) }
            checksum = slot.nameChecksum
        } else {
            guard !pieces.isEmpty, number == expected, number > 0, slot.order & 0x80 == 0,
                slot.nameChecksum == checksum
            else {
                dropPieces()
                return orphans.append(place)
            }
        }
        pieces.append((place, slot.units))
        expected = number - 1
    }

    /// What was gathered belongs to nothing.
    mutating func dropPieces() {
        if orphans.count < 1024 { orphans += pieces.map(\.place) }
        pieces = []
        expected = 0
    }
}
