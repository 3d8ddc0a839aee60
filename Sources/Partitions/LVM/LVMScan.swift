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
    private(set) var findings: [LayoutFinding] = []

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
            for group in try metadata(of: volume, label) {
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
                LayoutFinding(
                    .note, "pv-without-group",
                    "\(member.volume) is a physical volume that belongs to no group here"))
        }
    }

    /// The groups in the metadata areas of one physical volume; a damaged area is a finding.
    private mutating func metadata(
        of volume: Volume, _ label: LVMLabel
    ) throws(StorageError) -> [VolumeGroup] {
        var found: [VolumeGroup] = []
        var previous: [UInt8]?
        for (index, area) in label.metadataAreas.enumerated() {
            let place = "metadata area \(index + 1) of \(volume.name)"
            guard let header = try LVMMetadataHeader.read(volume.device, area: area) else {
                findings.append(LayoutFinding(.damage, "mda-header", "\(place) has no valid header"))
                continue
            }
            guard let slot = header.slots.first, !slot.isIgnored else { continue }
            guard let text = try header.committedText(volume.device) else {
                findings.append(
                    LayoutFinding(.damage, "mda-text", "the metadata text in \(place) fails its checksum"))
                continue
            }
            if text == previous { continue }
            previous = text
            do { found.append(try VolumeGroup.parse(text)) } catch {
                findings.append(LayoutFinding(.damage, "mda-parse", "\(place): \(error.message)"))
            }
        }
        return found
    }
}
