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
    }

    private(set) var groups: [Group] = []
    private(set) var findings: [Finding] = []

    /// Scans the volumes that are physical volumes by their identity. Throws `refused` when two of them carry the
    /// same UUID.
    init(_ volumes: [Volume]) throws(StorageError) {
        var members: [String: Member] = [:]
        var newest: [String: VolumeGroup] = [:]
        var order: [String] = []
        for volume in volumes where volume.identity.kind == .lvm2 {
            guard let label = try LVMLabel.read(volume.device) else { continue }
            if let other = members[label.uuid] {
                throw .lvm(
                    .refused, .duplicatePhysicalVolume,
                    "\(other.volume) and \(volume.name) are the same physical volume, \(label.uuid): give only one of them; one is a copy of the other"
                )
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
            groups.append(Group(metadata: metadata, members: members.filter { listed.contains($0.key) }))
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
