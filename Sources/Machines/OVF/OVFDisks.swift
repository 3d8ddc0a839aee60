internal import Storage

/// The files and disks of an envelope, by their identifiers.
struct OVFDisks {
    /// A file, as its reference has it.
    struct File {
        var name: String
        var compression: String?
        var byteCount: UInt64?
    }

    private var filesByID: [String: XMLElement] = [:]
    private var filesByName: [String: XMLElement] = [:]
    private var disks: [String: XMLElement] = [:]
    private var disksByFile: [String: XMLElement] = [:]

    /// Throws `corrupt` for an identifier that two files or two disks have.
    init(_ root: XMLElement) throws(StorageError) {
        for file in root.child("References")?.children(named: "File") ?? [] {
            guard let name = file.attribute("href") else {
                throw Self.failure(.danglingReference, "has a file without a name", "File")
            }
            if let id = file.attribute("id") {
                guard filesByID.updateValue(file, forKey: id) == nil else {
                    throw Self.failure(.contradiction, "has two files called \(Self.shown(id))", "File")
                }
            }
            filesByName[name] = file
        }
        guard let section = OVFDescription.section("DiskSection", in: root) else { return }
        for disk in section.children(named: "Disk") {
            guard let id = disk.attribute("diskId") else {
                throw Self.failure(.danglingReference, "has a disk without an identifier", "Disk")
            }
            guard disks.updateValue(disk, forKey: id) == nil else {
                throw Self.failure(.contradiction, "has two disks called \(Self.shown(id))", "Disk")
            }
            if let file = disk.attribute("fileRef") { disksByFile[file] = disk }
        }
    }

    /// The disk that an item's HostResource means ("ovf:/disk/ID", "/disk/ID", "ovf://disk/ID", "ovf:/file/ID", and oVirt's
    /// paths), or `instance`, its own identifier. Nil in `file` for a disk that is empty. Throws `corrupt` where there is none,
    /// `unsupported` for a chain of differences and a file in pieces.
    func disk(_ resource: String, instance: String?) throws(StorageError) -> Machine.Disk? {
        if let id = Self.identifier(resource, "file") {
            guard let file = filesByID[id] else { throw Self.missing("file", id) }
            return Machine.Disk(file: try usable(file).name)
        }
        let id = Self.identifier(resource, "disk") ?? resource
        guard let disk = disks[id] ?? disksByFile[resource] ?? instance.flatMap({ disks[$0] }) else {
            throw Self.missing("disk", id)
        }
        guard disk.attribute("parentRef").map({ $0.trimmed.isEmpty }) ?? true else {
            throw StorageError.machine(
                .unsupported, .chainOfDifferences, OVFDescription.language,
                "its disk \(Self.shown(id)) holds differences from another disk (parentRef); export the machine without snapshots",
                structure: "Disk")
        }
        let unit =
            disk.attribute("capacityAllocationUnits")
            ?? (disk.attribute("capacity") == nil ? "GigaBytes" : nil)
        let byteCount: UInt64? =
            if let capacity = disk.attribute("capacity") ?? disk.attribute("size") {
                try OVFUnits.bytes(capacity, unit: unit, structure: "Disk")
            } else { nil }
        guard let reference = disk.attribute("fileRef") else { return nil }
        guard let file = filesByID[reference] ?? filesByName[reference] else {
            throw Self.missing("file", reference)
        }
        let known = try usable(file)
        // virt-v2v gives every disk VMware's format, and says in oVirt's own attribute what it is.
        let format = disk.attribute("volume-format") ?? disk.attribute("format")
        var made = Machine.Disk(file: known.name, format: format, byteCount: byteCount)
        made.byteCountUnit = OVFUnits.byteCount(unit) ?? 1
        made.compression = known.compression
        made.fileByteCount = known.byteCount
        made.isStarted = disk.attribute("boot") == "true"
        made.controller = Self.controller(disk.attribute("disk-interface"))
        return made
    }

    private func usable(_ file: XMLElement) throws(StorageError) -> File {
        let name = file.attribute("href") ?? ""
        guard file.attribute("chunkSize") == nil else {
            throw StorageError.machine(
                .unsupported, .inPieces, OVFDescription.language,
                "its file \(Self.shown(name)) is cut into pieces (chunkSize); join them with cat and take the attribute away",
                structure: "File")
        }
        let compression = file.attribute("compression")?.lowercased()
        return File(
            name: name, compression: compression == "identity" || compression == "" ? nil : compression,
            // 0 is what some write who do not know it.
            byteCount: file.attribute("size").flatMap { UInt64($0.trimmed) }.flatMap { $0 == 0 ? nil : $0 })
    }

    /// What oVirt says of a disk itself.
    private static func controller(_ word: String?) -> DiskController? {
        switch word?.lowercased() {
        case "virtio": DiskController(.virtioBlk)
        case "virtio_scsi": DiskController(.virtioSCSI)
        case "ide": DiskController(.ide)
        case "sata": DiskController(.ahci)
        default: nil
        }
    }

    private static func identifier(_ resource: String, _ kind: String) -> String? {
        for prefix in ["ovf:/\(kind)/", "ovf://\(kind)/", "/\(kind)/"] where resource.hasPrefix(prefix) {
            return String(resource.dropFirst(prefix.count))
        }
        return nil
    }

    private static func shown(_ text: String) -> String { "\"\(Array(text.utf8).displayText)\"" }

    private static func missing(_ kind: String, _ id: String) -> StorageError {
        failure(.danglingReference, "refers to a \(kind) \(shown(id)) that it does not list", nil)
    }

    private static func failure(_ code: MachineCode, _ message: String, _ structure: String?) -> StorageError
    {
        .machine(.corrupt, code, OVFDescription.language, message, structure: structure)
    }
}
