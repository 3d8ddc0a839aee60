internal import Storage

/// Reads the labels and metadata of all physical volumes of a guest and decides what counts.
struct LVMScan {
    /// A physical volume that was found.
    struct Member {
        /// The volume's name on the command line.
        let volume: String
        let device: any BlockDevice
        let label: LVMLabel
    }

    /// A group as the newest sound metadata has it, with the members that were found.
    struct Group {
        let metadata: VolumeGroup
        /// By UUID.
        let members: [String: Member]
        /// Copies of its physical volumes, which are left aside, for people: "2:p2 is a copy of p2".
        let copies: [String]
    }

    private(set) var groups: [Group] = []
    private(set) var findings: [Finding] = []

    /// Scans the volumes that are physical volumes by their identity. Of two with the same UUID the first counts, and
    /// nothing of the other. Throws `refused` where a group lies on several: they might be put together from both.
    init(_ volumes: [Volume]) throws(StorageError) {
        var members: [String: Member] = [:]
        var copies: [String: [String]] = [:]
        var newest: [String: VolumeGroup] = [:]
        var order: [String] = []
        for volume in volumes where volume.identity.kind == .lvm2 {
            guard let label = try LVMLabel.read(volume.device) else { continue }
            if members[label.uuid] != nil {
                copies[label.uuid, default: []].append(volume.name)
                continue
            }
            members[label.uuid] = Member(volume: volume.name, device: volume.device, label: label)
            for group in metadata(of: volume, label) {
                if newest[group.id] == nil { order.append(group.id) }
                if let known = newest[group.id], known.seqno >= group.seqno { continue }
                newest[group.id] = group
            }
        }
        for id in order {
            guard let metadata = newest[id] else { continue }
            let listed = Set(metadata.physicalVolumes.map(\.id))
            // A volume that was taken out of the group keeps old metadata that still names it.
            guard members.keys.contains(where: { listed.contains($0) }) else { continue }
            groups.append(
                Group(
                    metadata: metadata, members: members.filter { listed.contains($0.key) },
                    copies: try Self.noted(copies, members, metadata)))
        }
        for (uuid, names) in copies.sorted(by: { $0.key < $1.key }) {
            guard let original = members[uuid]?.volume else { continue }
            for name in names {
                findings.append(
                    Finding(
                        .warning, LayoutCode.pvCopy,
                        "\(name) is a copy of the physical volume \(original) and is left aside: LVM does not tell the two apart"
                    ))
            }
        }
        let used = Set(groups.flatMap { $0.members.keys })
        for member in members.values.sorted(by: { $0.volume < $1.volume })
        where !used.contains(member.label.uuid) {
            findings.append(
                Finding(
                    .note, LayoutCode.pvWithoutGroup,
                    "\(member.volume) is a physical volume that belongs to no group here"))
        }
    }

    /// What is said of the copies of a group's physical volumes.
    private static func noted(
        _ copies: [String: [String]], _ members: [String: Member], _ metadata: VolumeGroup
    ) throws(StorageError) -> [String] {
        let doubled = metadata.physicalVolumes.filter { copies[$0.id] != nil }
        guard let first = doubled.first, let original = members[first.id]?.volume,
            let names = copies[first.id]
        else { return [] }
        guard metadata.physicalVolumes.count == 1 else {
            throw .lvm(
                .refused, .duplicatePhysicalVolume,
                "\(original) and \(names[0]) are the same physical volume, \(first.id), of volume group \(metadata.name): give only one of them; one is a copy of the other"
            )
        }
        return names.map { "\($0) is a copy of \(original)" }
    }

    /// The groups in the metadata areas of one physical volume; an area that is damaged or cannot be read is a
    /// finding.
    private mutating func metadata(of volume: Volume, _ label: LVMLabel) -> [VolumeGroup] {
        var found: [VolumeGroup] = []
        var previous: [UInt8]?
        for (index, area) in label.metadataAreas.enumerated() {
            let place = "metadata area \(index + 1) of \(volume.name)"
            do {
                if let group = try self.group(in: area, of: volume, place, &previous) { found.append(group) }
            } catch {
                findings.append(Finding(.damage, LayoutCode.mdaParse, "\(place): \(error.message)"))
            }
        }
        return found
    }

    /// The committed group of one area; nil where it has none or repeats the text of the one before.
    private mutating func group(
        in area: LVMLabel.Area, of volume: Volume, _ place: String, _ previous: inout [UInt8]?
    ) throws(StorageError) -> VolumeGroup? {
        guard let header = try LVMMetadataHeader.read(volume.device, area: area) else {
            findings.append(Finding(.damage, LayoutCode.mdaHeader, "\(place) has no valid header"))
            return nil
        }
        guard let slot = header.slots.first, !slot.isIgnored else { return nil }
        guard let text = try header.committedText(volume.device) else {
            findings.append(
                Finding(.damage, LayoutCode.mdaText, "the metadata text in \(place) fails its checksum"))
            return nil
        }
        if text == previous { return nil }
        previous = text
        return try VolumeGroup.parse(text)
    }
}
