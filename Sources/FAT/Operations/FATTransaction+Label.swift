package import Storage

extension FATTransaction {
    /// Sets the volume's label, in the root directory and in the boot sectors: at most 11 letters of ASCII. An empty one
    /// takes it away.
    package func setLabel(_ label: [UInt8]) throws(StorageError) {
        try perform { () throws(StorageError) in
            let forbidden = Array("\"*+,./:;<=>?[\\]|".utf8)
            guard label.count <= BootSector.labelByteCount,
                label.allSatisfy({ (0x20..<0x7f).contains($0) && !forbidden.contains($0) }),
                label.first != UInt8(ascii: " "), label.last != UInt8(ascii: " ")
            else {
                throw .fat(
                    .misuse, .badLabel,
                    "a label on FAT has at most 11 letters of ASCII, none of \" * + , . / : ; < = > ? [ \\ ] |, and no "
                        + "blank at either end")
            }
            let blanks = [UInt8](repeating: UInt8(ascii: " "), count: BootSector.labelByteCount - label.count)
            try setRootLabel(label.isEmpty ? nil : label + blanks)
            try setBootLabel(label.isEmpty ? Array("NO NAME    ".utf8) : label + blanks)
        }
    }

    private func setRootLabel(_ name: [UInt8]?) throws(StorageError) {
        var found: (slot: DirectorySlot, place: UInt64)?
        try forEachSlot(of: rootPlace) { slot, place in
            guard slot.isLabel else { return true }
            found = (slot, place)
            return false
        }
        if let found {
            var slot = found.slot
            guard slot.rawName != name else { return }
            if let name {
                slot.bytes.replaceSubrange(0..<11, with: name)
                slot.setWriteTime(now)
            } else {
                slot.bytes[0] = DirectorySlot.deletedMark
            }
            return try patch(slot.bytes, at: found.place, in: .names)
        }
        guard let name else { return }
        let plan = try plan(1, in: rootPlace, more: 0)
        var slot = DirectorySlot(name + [UInt8](repeating: 0, count: DirectorySlot.byteCount - name.count))
        slot.attributes = .label
        slot.setWriteTime(now)
        try apply(plan)
        try patch(slot.bytes, at: plan.places[0], in: .names)
    }

    /// The copy follows: at a cut they differ in nothing but the label.
    private func setBootLabel(_ name: [UInt8]) throws(StorageError) {
        guard let offset = fileSystem.boot.labelOffset else { return }
        for (start, phase) in [(0, Stage.Phase.names), (geometry.backupOffset, .movedNames)] {
            guard let start else { continue }
            let place = start + UInt64(offset)
            // A copy that is none is not touched.
            let sector = try metadata(at: start, count: BootSector.byteCount)
            guard BootSector(sector) != nil, !sector.span8.matches(name, at: offset) else { continue }
            try patch(name, at: place, in: phase)
        }
    }
}
