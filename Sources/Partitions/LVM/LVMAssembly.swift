internal import Storage

/// Adds the logical volumes of all groups to what was discovered.
enum LVMAssembly {
    /// Throws `refused` when a group on several physical volumes has one of them twice, and input errors.
    static func add(to result: inout DiscoveredVolumes, _ probe: VolumeProbe) throws(StorageError) {
        let scan = try LVMScan(result.volumes)
        result.findings += scan.findings
        var names: Set<String> = []
        for group in scan.groups {
            // Two groups of one name cannot both be active; the second is told apart by its UUID.
            var title = group.metadata.name
            if !names.insert(title).inserted {
                title += "@" + group.metadata.id.prefix(6)
                names.insert(title)
                result.findings.append(
                    Finding(
                        .warning, LayoutCode.vgSameName,
                        "there are two volume groups called \(group.metadata.name); one is shown as \(title)")
                )
            }
            add(group, title: title, to: &result, probe)
        }
    }

    private static func add(
        _ found: LVMScan.Group, title: String, to result: inout DiscoveredVolumes, _ probe: VolumeProbe
    ) {
        let group = found.metadata
        var mapper = LogicalVolumeMapper(found)
        var layout = GroupLayout(
            name: title, id: group.id, sequenceNumber: group.seqno,
            extentByteCount: group.byteCount(extents: 1) ?? 0, status: group.status.sorted(),
            physicalVolumes: group.physicalVolumes.map { volume in
                GroupLayout.PhysicalVolume(
                    id: volume.id, volume: found.members[volume.id]?.volume,
                    byteCount: group.byteCount(extents: volume.extentCount), deviceHint: volume.deviceHint)
            }, logicalVolumes: [])
        noteGroup(group, found, title, &result)
        for volume in group.logicalVolumes {
            let device = mapper.device(volume.name)
            let isVisible = mapper.isVisible(volume)
            let readRefusal =
                isVisible ? addVolume(volume, device, of: found, title: title, to: &result, probe) : nil
            layout.logicalVolumes.append(
                GroupLayout.LogicalVolume(
                    name: volume.name, id: volume.id, byteCount: device.byteCount,
                    isVisible: isVisible,
                    type: type(of: volume), readRefusal: readRefusal, writeRefusal: device.mappingRefusal))
        }
        result.groups.append(layout)
    }

    /// Makes a visible volume part of the result; returns why it cannot be read, if it cannot.
    private static func addVolume(
        _ volume: LogicalVolume, _ device: MappedDevice, of found: LVMScan.Group, title: String,
        to result: inout DiscoveredVolumes, _ probe: VolumeProbe
    ) -> StorageError? {
        let group = found.metadata
        let isPool = volume.segments.contains { if case .thinPool = $0.content { true } else { false } }
        guard !isPool, device.byteCount > 0 else { return nil }
        let name = "\(title)/\(volume.name)"
        var candidates: [VolumeIdentity] = []
        var refusal: StorageError?
        do { candidates = try probe.candidates(device) } catch {
            refusal = error
            result.findings.append(Finding(.warning, LayoutCode.volumeUnreadable, error.message))
        }
        var made = Volume(
            name: name, location: .logicalVolume(group: title, name: volume.name), device: device,
            identity: VolumeProbe.identity(candidates), candidates: candidates, typeName: type(of: volume),
            identifierLinks: ["dm-uuid-LVM-" + (group.id + volume.id).filter { $0 != "-" }])
        made.groupMembers = group.physicalVolumes.map(\.id)
        made.incompleteGroup = missingVolumes(group, found, title)
        if !found.copies.isEmpty {
            made.doubledGroup =
                "volume group \(title) is there twice: \(found.copies.joined(separator: ", "))"
        }
        if group.status.contains("EXPORTED") {
            made.lacking = "volume group \(title) is exported, and is not activated before it is imported"
        } else if device.lacksBytes {
            made.lacking = "a part of \(name) lies on a physical volume that is missing"
        }
        var degraded: [String] = []
        var divided: [String] = []
        made.layers = group.layers(of: volume.name) { physical in
            let names = physical.compactMap { found.members[$0]?.volume }
            degraded = result.arrays(below: names, \.degradedArrays)
            divided = result.arrays(below: names, \.dividedArrays)
            if made.lacking == nil { made.lacking = result.lacking(among: names) }
            return result.layers(of: names)
        }
        made.degradedArrays = degraded
        made.dividedArrays = divided
        VolumeDiscovery.noteAmbiguity(made, disk: nil, &result)
        result.volumes.append(made)
        return refusal
    }

    /// Physical volumes that were not given; nil where all were.
    private static func missingVolumes(
        _ group: VolumeGroup, _ found: LVMScan.Group, _ title: String
    ) -> String? {
        let missing = group.physicalVolumes.filter { found.members[$0.id] == nil }
        guard !missing.isEmpty else { return nil }
        return
            "volume group \(title) lacks \(missing.count) of its \(group.physicalVolumes.count) physical volumes"
    }

    private static func noteGroup(
        _ group: VolumeGroup, _ found: LVMScan.Group, _ title: String, _ result: inout DiscoveredVolumes
    ) {
        func note(_ code: LayoutCode, _ message: String) {
            result.findings.append(Finding(.warning, code, message))
        }
        for volume in group.physicalVolumes where found.members[volume.id] == nil {
            let hint = volume.deviceHint.map { ", last seen on \($0)" } ?? ""
            note(.pvMissing, "volume group \(title) lacks its physical volume \(volume.id)\(hint)")
        }
        for volume in group.physicalVolumes where volume.isMissing && found.members[volume.id] != nil {
            note(
                .pvMarkedMissing, "volume group \(title) counts \(volume.id) as missing, though it is here"
            )
        }
        if group.status.contains("EXPORTED") { note(.vgExported, "volume group \(title) is exported") }
        if group.status.contains("CLUSTERED") || group.lockType != nil {
            note(.vgShared, "volume group \(title) is shared between hosts")
        }
        if let owner = group.systemID {
            note(.vgForeign, "volume group \(title) belongs to the system \"\(owner)\"")
        }
    }

    /// The segment types of a volume in lvs' words.
    static func type(of volume: LogicalVolume) -> String {
        var names: [String] = []
        for segment in volume.segments {
            let name =
                switch segment.content {
                case .striped(let areas, _): areas.count == 1 ? "linear" : "striped"
                case .mirror: "mirror"
                case .raid(let raid): raid.type
                case .zero: "zero"
                case .error: "error"
                case .snapshot: "snapshot"
                case .cache: "cache"
                case .thin: "thin"
                case .thinPool: "thin-pool"
                case .other(let type): type
                }
            if !names.contains(name) { names.append(name) }
        }
        return names.joined(separator: ",")
    }
}
