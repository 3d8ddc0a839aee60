/// A disk or a partition by a name that only GRUB knows: "(hd1,0)" of GRUB legacy is "hd1,msdos1" of GRUB 2. Disks count as the
/// firmware does, from the one that it starts.
package struct GRUBDevice: Sendable, Hashable {
    /// The disk, from 0.
    package var disk: Int
    /// The partition, from 1; nil for all of the disk.
    package var partition: Int?
    /// The table that the partition must be in, where the name says it.
    package var table: Table?

    /// A kind of partition table.
    package enum Table: String, Sendable { case msdos, gpt }

    /// Reads a name with or without its parentheses; GRUB legacy counts partitions from 0. Nil for what tells no place:
    /// variables, logical volumes, arrays, slices, disks of GRUB's own drivers.
    package init?(_ text: some StringProtocol, countsFromZero: Bool) {
        var name = Substring(String(text))
        if name.first == "(" {
            guard name.last == ")" else { return nil }
            name = name.dropFirst().dropLast()
        }
        let parts = name.split(separator: ",", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let head = parts.first, head.hasPrefix("hd"),
            let disk = DiskName.smallNumber(head.dropFirst(2))
        else { return nil }
        self.disk = disk
        guard parts.count == 2 else { return }
        var part = parts[1]
        if countsFromZero {
            guard let number = DiskName.smallNumber(part) else { return nil }
            partition = number + 1
            return
        }
        for known in [Table.msdos, .gpt] where part.hasPrefix(known.rawValue) {
            part = part.dropFirst(known.rawValue.count)
            table = known
        }
        guard let number = DiskName.smallNumber(part), number > 0 else { return nil }
        partition = number
    }
}

/// A command of a menu that says where the files of an entry lie: what sets GRUB's variable `root`.
package struct GRUBRootSetting: Sendable, Equatable {
    /// What it says.
    package enum Place: Sendable, Equatable {
        /// A device by its name.
        case device(String)
        /// The file system with that UUID, where there is one.
        case uuid(String)
        /// The file system with that label, where there is one.
        case label(String)
        /// What cannot be told from the text.
        case unknown
    }

    /// Where.
    package var place: Place
    /// It stands in a branch that may not be taken.
    package var isConditional: Bool
    /// GRUB legacy goes no further with an entry whose command fails.
    package var mustHold = false
}
