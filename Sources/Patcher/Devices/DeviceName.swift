/// What a word of a configuration file names, by its form alone.
package enum DeviceName: Hashable, Sendable {
    /// A disk or a partition of it, by a name that depends on the hypervisor.
    case disk(DiskName, partition: Int?)
    /// `UUID=` or /dev/disk/by-uuid: a file system or swap area.
    case uuid(String)
    /// `LABEL=` or /dev/disk/by-label.
    case label([UInt8])
    /// `PARTUUID=` or /dev/disk/by-partuuid: a partition.
    case partitionUUID(String)
    /// `PARTLABEL=` or /dev/disk/by-partlabel.
    case partitionLabel(String)
    /// /dev/VG/LV or /dev/mapper/VG-LV.
    case logicalVolume(group: String, name: String)
    /// /dev/mapper/NAME that cannot be a logical volume: crypttab's.
    case mapped(String)
    /// /dev/disk/by-id/dm-… and md-…, without the directory: stable by construction.
    case stableIdentifier(String)
    /// /dev/md0, /dev/md/NAME.
    case array(String)
    /// An optical drive: /dev/sr0, /dev/cdrom.
    case optical(String)
    /// A floppy drive.
    case floppy(String)
    /// /dev/root and the like, loop devices, RAM disks: present everywhere or never.
    case virtual(String)
    /// No device: a network share, "tmpfs", "none", a path.
    case notADevice

    /// Reads a word. A `PARTNROFF=` behind a PARTUUID stays part of it and so matches nothing.
    package init(_ text: String) {
        self = Self.tagged(text) ?? Self.path(Self.simplified(text)) ?? .notADevice
    }

    /// Whether the form ties it to the hypervisor's presentation.
    package var isPositional: Bool {
        if case .disk = self { true } else { false }
    }

    private static func tagged(_ text: String) -> DeviceName? {
        guard let equals = text.firstIndex(of: "=") else { return nil }
        var value = text[text.index(after: equals)...]
        if value.count >= 2, let quote = value.first, quote == "\"" || quote == "'", value.last == quote {
            value = value.dropFirst().dropLast()
        }
        guard !value.isEmpty else { return nil }
        switch text[..<equals] {
        case "UUID": return .uuid(normalized(value))
        case "LABEL": return .label(Array(value.utf8))
        case "PARTUUID": return .partitionUUID(value.lowercased())
        case "PARTLABEL": return .partitionLabel(String(value))
        default: return nil
        }
    }

    /// blkid prints UUIDs in lower case and FAT serials in upper case; both are compared as blkid prints them.
    private static func normalized(_ uuid: Substring) -> String {
        uuid.count == 9 || uuid.count == 16 ? uuid.uppercased() : uuid.lowercased()
    }

    /// The path without "//", "/./" and "/../", as the kernel walks it: no directory below /dev is a link.
    private static func simplified(_ text: String) -> String {
        guard text.hasPrefix("/"), text.contains("//") || text.contains("/.") else { return text }
        var parts: [Substring] = []
        for part in text.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    private static func path(_ text: String) -> DeviceName? {
        guard text.hasPrefix("/dev/") else { return nil }
        let rest = String(text.dropFirst(5))
        if let found = DiskName.parse(deviceNode: rest) {
            return .disk(found.disk, partition: found.partition)
        }
        let parts = rest.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if parts.count > 2, parts[0] == "disk", parts[1] == "azure" {
            let found = DiskName.parse(azureLink: parts[2...].joined(separator: "/"))
            return .disk(found.disk, partition: found.partition)
        }
        if parts.first == "disk" { return parts.count == 3 ? link(parts[1], parts[2]) : .notADevice }
        if parts.count == 2, !parts[1].isEmpty {
            switch parts[0] {
            case "mapper": return mapper(parts[1])
            case "md": return .array(parts[1])
            // RHEL 4 and 5 have the disks behind several paths in a directory of their own too.
            case "mpath":
                guard let found = DiskName.parse(multipath: parts[1]) else { return .mapped(parts[1]) }
                return .disk(found.disk, partition: found.partition)
            // devfs' RAM disks.
            case "rd" where DiskName.smallNumber(parts[1]) != nil: return .virtual(text)
            case let directory where directories.contains(directory): return .virtual(text)
            default: return .logicalVolume(group: parts[0], name: parts[1])
            }
        }
        guard parts.count == 1 else { return .virtual(text) }
        return node(rest, text)
    }

    private static func node(_ name: String, _ text: String) -> DeviceName {
        let stem = name.prefix { !$0.isNumber }
        let number = name.dropFirst(stem.count)
        switch stem {
        case "md" where isArrayNumber(number): return .array(name)
        case "md_d" where !number.isEmpty: return .array(name)
        case "sr", "scd", "cdrom", "dvd", "cdrw", "dvdrw", "cdroms": return .optical(text)
        case "fd", "floppy": return .floppy(text)
        case "dm-": return .mapped(name)
        default: return .virtual(text)
        }
    }

    /// "5", or "5p1" for a partition of the array.
    private static func isArrayNumber(_ text: Substring) -> Bool {
        let parts = text.split(separator: "p", omittingEmptySubsequences: false)
        return parts.count <= 2 && parts.allSatisfy { DiskName.smallNumber($0) != nil }
    }

    private static func link(_ directory: String, _ name: String) -> DeviceName {
        switch directory {
        case "by-uuid": return .uuid(normalized(Substring(name)))
        case "by-label": return .label(udevDecoded(name))
        case "by-partuuid": return .partitionUUID(name.lowercased())
        case "by-partlabel": return .partitionLabel(String(decoding: udevDecoded(name), as: UTF8.self))
        case "by-id", "by-path": break
        // A directory of somebody's own rules, as Azure's (cloud/azure_root) and MAAS' (by-dname): they name hardware.
        default:
            let found = DiskName.parse(link: name, inForeign: directory)
            return .disk(found.disk, partition: found.partition)
        }
        if name.hasPrefix("dm-name-") { return mapper(String(name.dropFirst("dm-name-".count))) }
        if name.hasPrefix("dm-") || name.hasPrefix("md-") || name.hasPrefix("lvm-pv-uuid-") {
            return .stableIdentifier(name)
        }
        let isOptical = ["QEMU_DVD-ROM", "QEMU_CD-ROM", "CDROM", "CD-ROM", "DVD"].contains {
            name.contains($0)
        }
        if directory == "by-id", isOptical { return .optical("/dev/disk/by-id/\(name)") }
        let found = DiskName.parse(link: name, directory: directory)
        return .disk(found.disk, partition: found.partition)
    }

    /// LVM doubles the hyphens inside each of the two names and puts a single one between them.
    private static func mapper(_ name: String) -> DeviceName {
        if let found = DiskName.parse(multipath: name) {
            return .disk(found.disk, partition: found.partition)
        }
        var halves = [""]
        var rest = Substring(name)
        while let character = rest.popFirst() {
            if character == "-" {
                if rest.first == "-" {
                    rest = rest.dropFirst()
                    halves[halves.count - 1].append("-")
                } else {
                    halves.append("")
                }
            } else {
                halves[halves.count - 1].append(character)
            }
        }
        guard halves.count == 2, !halves.contains("") else {
            return .mapped(name)
        }
        return .logicalVolume(group: halves[0], name: halves[1])
    }

    /// udev writes a character that cannot stand in a file name as `\x20`.
    private static func udevDecoded(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == .backslash, rest.first == UInt8(ascii: "x"), rest.count >= 3,
                let value = UInt8(String(decoding: rest.dropFirst().prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
