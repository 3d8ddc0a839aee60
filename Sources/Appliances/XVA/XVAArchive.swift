internal import Machines
internal import Storage

/// Opens an export of XenServer or XCP-ng.
enum XVAArchive {
    private static let descriptionLimit: UInt64 = 16 << 20

    static func open(
        _ file: any ByteFile, verifies: Bool, machine name: String? = nil, isSalvage: Bool = false
    ) throws(StorageError) -> Appliance {
        var reader = ArchiveReader(file, isSalvage: isSalvage)
        guard let first = try reader.next(), first.kind == .file, first.name == Array("ova.xml".utf8),
            first.range.upperBound - first.range.lowerBound <= descriptionLimit
        else {
            throw .appliance(.corrupt, .description, "does not begin with its description (ova.xml)")
        }
        let text = try file.bytes(
            at: first.range.lowerBound, count: Int(first.range.upperBound - first.range.lowerBound))
        let machine = try DescriptionLanguage.xva.read(text, machine: name)
        var wanted: [[UInt8]: Int] = [:]
        for (index, disk) in machine.disks.enumerated() {
            guard wanted.updateValue(index, forKey: disk.file.hostBytes) == nil else {
                throw .appliance(
                    .corrupt, .badPieces,
                    "has the disk \(disk.file.hostBytes.shellText) at two places of the machine")
            }
        }
        var pieces = [XVAPieces](repeating: XVAPieces(), count: machine.disks.count)
        var notes = machine.notes
        while true {
            try Cancellation.check()
            let entry: ArchiveEntry
            do throws(StorageError) {
                guard let next = try reader.next() else { break }
                entry = next
            } catch {
                // A disk's bytes go by the lengths of all pieces before them: behind damage nothing has a place.
                guard isSalvage, error.kind == .corrupt else { throw error }
                notes.append("has a damaged header; what lies behind it is lost")
                break
            }
            guard entry.missingByteCount == 0 else {
                notes.append("is cut off in \(entry.name.shellText)")
                continue
            }
            guard entry.name != first.name else {
                throw .appliance(
                    .corrupt, .sameNameTwice, "has two descriptions (ova.xml)", structure: "header",
                    offset: entry.range.lowerBound)
            }
            guard let piece = XVAPieceName(entry.name), let index = wanted[piece.disk] else { continue }
            guard entry.kind == .file else {
                throw .appliance(
                    .corrupt, .notAFile, "has \(entry.name.shellText), which is no file",
                    offset: entry.range.lowerBound)
            }
            switch piece.kind {
            case .data: try pieces[index].append(number: piece.number, entry.range)
            case .check(let check):
                guard entry.range.upperBound - entry.range.lowerBound >= check.digitCount else {
                    throw .appliance(
                        .corrupt, .badPieces, "has a checksum \(entry.name.shellText) that is too short",
                        offset: entry.range.lowerBound)
                }
                try pieces[index].note(check, number: piece.number, at: entry.range.lowerBound)
            }
        }
        var disks: [Appliance.Disk] = []
        for (disk, pieces) in zip(machine.disks, pieces) {
            guard let byteCount = disk.byteCount else { continue }
            if pieces.checks.contains(.none) {
                notes.append(
                    "\(disk.file.hostBytes.shellText) has pieces without a checksum: nothing tells whether they are whole"
                )
            }
            let made = try XVADiskFile(
                file, pieces, byteCount: byteCount, name: disk.file, verifies: verifies,
                isSalvage: isSalvage)
            disks.append(Appliance.Disk(name: disk.file, file: made))
        }
        return Appliance(machine: machine, disks: disks, notes: notes)
    }
}

extension XVAPieces.Check {
    /// Hexadecimal digits of one.
    var digitCount: UInt64 {
        switch self {
        case .none: 0
        case .sha1: 40
        case .xxhash: 16
        }
    }
}
