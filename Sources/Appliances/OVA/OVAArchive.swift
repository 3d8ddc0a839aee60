internal import Codecs
internal import Machines
internal import Storage

/// Opens an OVA.
enum OVAArchive {
    /// Bytes of a description.
    private static let descriptionLimit: UInt64 = 16 << 20

    /// Whether a member is a description. macOS adds files "._NAME" of its own.
    static func isDescription(_ entry: ArchiveEntry) -> Bool {
        entry.kind == .file && has(entry.name, suffix: ".ovf")
            && !plain(entry.name).starts(with: Array("._".utf8))
    }

    private static func has(_ name: [UInt8], suffix: String) -> Bool {
        String(decoding: name, as: UTF8.self).lowercased().hasSuffix(suffix)
    }

    private static func plain(_ name: [UInt8]) -> ArraySlice<UInt8> {
        guard let slash = name.lastIndex(of: UInt8(ascii: "/")) else { return name[...] }
        return name[(slash + 1)...]
    }

    static func open(
        _ file: any ByteFile, verifies: Bool, machine name: String? = nil, isSalvage: Bool = false
    ) throws(StorageError) -> Appliance {
        let index = try ArchiveIndex(file, isSalvage: isSalvage)
        let descriptions = index.entries.filter(isDescription)
        guard let description = descriptions.first, descriptions.count == 1 else {
            let names = descriptions.prefix(16).map { $0.name.shellText }.joined(separator: ", ")
            throw .appliance(
                .refused, .description,
                descriptions.isEmpty ? "holds no description (.ovf)" : "holds several descriptions: \(names)")
        }
        guard description.range.upperBound - description.range.lowerBound <= descriptionLimit else {
            throw .appliance(
                .refused, .description, "has a description of more than \(descriptionLimit) bytes")
        }
        let folder = Array(description.name.dropLast(plain(description.name).count))
        func member(_ name: String) -> ArchiveEntry? {
            FileReference.names(name).lazy.compactMap { index.entry(folder + $0.hostBytes) }.first
        }
        var notes = index.notes
        // Unverified, it may be anything.
        let manifest = verifies ? try manifest(index, folder: folder, notes: &notes) : nil
        if let manifest {
            try manifest.verify { (name) throws(StorageError) in try member(name).map(index.open) }
        }
        let text = try index.open(description)
        let machine = try DescriptionLanguage.ovf.read(
            try text.bytes(at: 0, count: Int(text.byteCount)), machine: name)
        var disks: [Appliance.Disk] = []
        for disk in machine.disks {
            guard let entry = member(disk.file) else {
                if isSalvage, !FileReference.names(disk.file).isEmpty {
                    let nothing = try ByteRangeFile(file, range: 0..<0, path: "\(file.path)/\(disk.file)")
                    disks.append(Appliance.Disk(name: disk.file, file: nothing, isMissing: true))
                    continue
                }
                throw .appliance(
                    .corrupt, .missingMember,
                    FileReference.names(disk.file).isEmpty
                        ? "has a disk \(disk.file.hostBytes.shellText), which leads out of the archive and is not opened"
                        : "has a disk \(disk.file.hostBytes.shellText) in its description, which is not in the archive"
                )
            }
            if let manifest, !manifest.lines.contains(where: { member($0.name) == entry }) {
                notes.append("its manifest has no digest of \(entry.name.shellText)")
            }
            let length = entry.range.upperBound - entry.range.lowerBound + entry.missingByteCount
            if let stated = disk.fileByteCount, stated != length {
                notes.append(
                    "its description gives \(entry.name.shellText) \(stated) bytes, and it has \(length)")
            }
            disks.append(
                Appliance.Disk(
                    name: String(hostBytes: entry.name),
                    file: try decoded(index.open(entry), disk, isSalvage: isSalvage)))
        }
        return Appliance(machine: machine, disks: disks, notes: notes + machine.notes)
    }

    /// The manifest beside the description, whatever it is called; nil where there is none.
    private static func manifest(
        _ index: ArchiveIndex, folder: [UInt8], notes: inout [String]
    ) throws(StorageError) -> Manifest? {
        let found = index.entries.filter {
            has($0.name, suffix: ".mf") && $0.name.starts(with: folder)
                && !plain($0.name).starts(with: Array("._".utf8))
        }
        guard let entry = found.first else {
            notes.append("has no manifest: nothing tells whether its files are whole")
            return nil
        }
        guard found.count == 1 else {
            throw .appliance(.refused, .badManifest, "holds several manifests")
        }
        let file = try index.open(entry)
        return try Manifest(try file.availableBytes(at: 0, count: Int(min(file.byteCount, descriptionLimit))))
    }

    static func decoded(
        _ file: any ByteFile, _ disk: Machine.Disk, isSalvage: Bool = false
    ) throws(StorageError) -> any ByteFile {
        guard let compression = disk.compression else { return file }
        guard compression == "gzip" else {
            throw .appliance(
                .unsupported, .compression,
                "has a disk \(disk.file.hostBytes.shellText) compressed by \(Array(compression.utf8).displayText), which is not read"
            )
        }
        return try CompressedFile(file, .gzip, limit: limit(of: disk), isSalvage: isSalvage)
    }

    /// What a disk's file can decode to: the disk, tables and markers. A bomb ends there.
    private static func limit(of disk: Machine.Disk) -> UInt64 {
        guard let byteCount = disk.byteCount, let more = byteCount +? (byteCount / 8 + (64 << 20)) else {
            return UInt64(Int64.max)
        }
        return more
    }
}
