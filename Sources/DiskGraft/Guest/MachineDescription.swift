internal import Storage

/// A text or an archive that describes a virtual machine, given where one of its disks is wanted.
struct MachineDescription {
    /// What it is: "an OVF description".
    let kind: String
    /// The disks that it names, as it names them.
    let disks: [String]

    /// Judges the first bytes of a file; nil for everything else.
    init?(head: [UInt8]) {
        if head.count >= 512, Array(head[257..<262]) == Array("ustar".utf8) {
            let name = String(decoding: head.prefix(100).prefix { $0 != 0 }, as: UTF8.self)
            guard name.lowercased().hasSuffix(".ovf") else { return nil }
            kind = "an OVA archive: unpack it with tar -xf"
            disks = Self.values(head, ["href="])
            return
        }
        let text = head.prefix(Self.textByteCount)
        guard !text.isEmpty, !text.contains(0), let kind = Self.kind(text) else { return nil }
        self.kind = kind
        disks = Self.values(head, ["fileName = ", "fileName=", "href=", "location=", "file="])
    }

    /// So much of it must be text.
    private static let textByteCount = 4096
    private static let diskLimit = 8

    private static func kind(_ bytes: ArraySlice<UInt8>) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        let start = text.drop { $0.isWhitespace || $0 == "\u{feff}" }
        if start.hasPrefix("<") {
            if text.contains("Envelope") { return "an OVF description of a machine" }
            if text.contains("<VirtualBox") { return "VirtualBox's description of a machine (.vbox)" }
            if text.contains("<domain") { return "libvirt's description of a machine (.xml)" }
            return start.hasPrefix("<?xml") ? "an XML text" : nil
        }
        let lines = text.split(whereSeparator: \.isNewline)
        guard !lines.contains(where: { $0.hasPrefix("# Disk DescriptorFile") || $0.hasPrefix("createType") })
        else { return nil }
        let isVMX = lines.contains { line in
            guard let equals = line.firstIndex(of: "=") else { return false }
            let key = line[..<equals].lowercased()
            return key.hasPrefix("config.version") || key.hasPrefix("virtualhw.version")
                || key.contains(":") && key.contains(".filename")
        }
        return isVMX ? "VMware's description of a machine (.vmx)" : nil
    }

    /// What stands in quotes behind one of the words.
    private static func values(_ head: [UInt8], _ words: [String]) -> [String] {
        let text = String(decoding: head, as: UTF8.self)
        var found: [String] = []
        for line in text.split(whereSeparator: { $0.isNewline || $0 == ">" }) {
            for word in words {
                guard let range = line.firstRange(of: word), let quote = line[range.upperBound...].first,
                    quote == "\"" || quote == "'"
                else { continue }
                let value = String(line[range.upperBound...].dropFirst().prefix { $0 != quote })
                guard isDisk(value), !found.contains(value), found.count < diskLimit else { continue }
                found.append(value)
            }
        }
        return found
    }

    private static func isDisk(_ name: String) -> Bool {
        let name = name.lowercased()
        return [".vmdk", ".vdi", ".vhd", ".vhdx", ".img", ".raw", ".qcow2", ".qcow", ".hdd"].contains {
            name.hasSuffix($0)
        }
    }

    /// Throws when the file at `path` is such a thing.
    static func refuse(_ path: String) throws(StorageError) {
        guard HostDirectory.isRegularFile(path) else { return }
        let file = try HostFile.open(path, locking: .ignore)
        guard let description = MachineDescription(head: try file.availableBytes(at: 0, count: 64 << 10))
        else { return }
        let disks = description.disks.map { Array($0.utf8).displayText }.joined(separator: ", ")
        throw StorageError(
            .refused, GuestInputCode.machineDescription,
            "is \(description.kind), not a disk; give "
                + (disks.isEmpty ? "the disk images that it names" : "what it names: \(disks)"), path: path,
            remedies: description.disks.map { .giveDisk(path: $0) })
    }
}

/// What is wrong with files that are given as a guest's disks.
enum GuestInputCode: String, LayerCode {
    static let layer = "guest"

    /// It describes a machine and is none of its disks.
    case machineDescription = "machine-description"
}
