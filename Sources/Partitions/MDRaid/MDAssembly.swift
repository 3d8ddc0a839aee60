internal import Storage

/// Adds the MD arrays to what was discovered.
enum MDAssembly {
    /// Throws `refused` when two volumes are the same member, and input errors.
    static func add(
        to result: inout DiscoveredVolumes, _ probe: VolumeProbe, allowDegraded: Bool
    ) throws(StorageError) {
        var sets: [UUID16: [MDArray.Member]] = [:]
        var order: [UUID16] = []
        for volume in result.volumes where volume.identity.kind == .mdRAID {
            guard
                let block = try MDSuperblock.readAll(volume.device).first(where: {
                    $0.arrayUUID.description == volume.identity.uuid
                })
            else { continue }
            if sets[block.arrayUUID] == nil { order.append(block.arrayUUID) }
            sets[block.arrayUUID, default: []].append(
                MDArray.Member(volume: volume.name, device: volume.device, block: block))
        }
        for uuid in order {
            guard let members = sets[uuid], let first = members.first else { continue }
            // Containers of firmware RAID in MD's hands hold no data themselves.
            guard first.block.level != -5 else { continue }
            let label = uniqueName(of: first.block, among: result)
            guard let array = MDArray(name: label.volume, members: members) else { continue }
            try add(array, label.location, to: &result, probe, allowDegraded: allowDegraded)
        }
    }

    private static func add(
        _ array: MDArray, _ location: String, to result: inout DiscoveredVolumes, _ probe: VolumeProbe,
        allowDegraded: Bool
    ) throws(StorageError) {
        let device = try array.device(allowDegraded: allowDegraded)
        var layout = ArrayLayout(
            name: array.name, uuid: array.state.arrayUUID, level: array.levelName,
            version: array.state.version.rawValue, memberCount: array.state.memberCount,
            members: array.members.map { member in
                ArrayLayout.Member(
                    volume: member.volume, role: member.block.role, events: member.block.events,
                    isCurrent: array.isCurrent(member))
            }, writeRefusal: device.mappingRefusal)
        var candidates: [VolumeIdentity] = []
        var partitions = PartitionProbe(device, probe)
        do {
            candidates = try probe.candidates(device)
            let table = try DiskTable.read(contents: candidates, &partitions)
            if table.kind != .none { layout.table = table }
        } catch {
            layout.readRefusal = error
            result.findings.append(Finding(.warning, LayoutCode.volumeUnreadable, error.message))
        }
        let names = array.members.map(\.volume)
        var divided = result.arrays(below: names, \.dividedArrays)
        for member in array.members {
            guard let original = array.copies[member.volume] else { continue }
            let words =
                "\(member.volume) and \(original) are the same member of \(array.name): one is a copy of the other"
            divided.append(words)
            result.findings.append(
                Finding(
                    .warning, LayoutCode.arrayMemberCopy,
                    "\(member.volume) is a copy of \(original), the same member of \(array.name), and is left aside"
                ))
        }
        for member in array.members
        where !array.isCurrent(member) && member.block.role != nil && array.copies[member.volume] == nil {
            let isApart = array.isApart(member)
            let words =
                "\(member.volume) and the other members of \(array.name) were each used without the other"
            if isApart { divided.append(words) }
            result.findings.append(
                Finding(
                    .warning, LayoutCode.arrayStaleMember,
                    isApart
                        ? "\(words), so that each has its own contents; \(member.volume) is not read"
                        : "\(member.volume) is out of date in \(array.name) and not read"))
        }
        let current = layout.members.filter(\.isCurrent).count
        var degraded = result.arrays(below: names, \.degradedArrays)
        if current < array.state.memberCount {
            let words = "\(array.name) has \(current) of \(array.state.memberCount) members"
            // One that knows that it is alone is started at once.
            if current < array.state.activeRoles.count { degraded.append(words) }
            result.findings.append(Finding(.warning, LayoutCode.arrayDegraded, words))
        }
        var lacking = result.lacking(among: array.members.map(\.volume))
        if !array.startsWith(memberCount: current) {
            lacking =
                "\(array.name) has \(current) of \(array.state.memberCount) members, and does not start with them"
        }
        result.arrays.append(layout)
        guard device.byteCount > 0 else { return }
        let layers =
            result.layers(of: array.members.map(\.volume)) + [.array(level: Int(array.state.level))]
        let count = result.volumes.count
        defer {
            for index in count..<result.volumes.count {
                result.volumes[index].layers = layers
                result.volumes[index].degradedArrays = degraded
                result.volumes[index].dividedArrays = divided
                result.volumes[index].lacking = lacking
            }
        }
        if let table = layout.table {
            result.findings += table.findings
            // "md0p1": with a p behind a digit, as Linux has it for all of them.
            try VolumeDiscovery.addPartitions(of: table, &partitions, disk: nil, to: &result) { number in
                ("\(array.name)p\(number)", .array(name: "\(location)p\(number)"))
            }
            for index in count..<result.volumes.count {
                let number = result.volumes[index].name.dropFirst(array.name.count + 1)
                result.volumes[index].identifierLinks = links(array.state).map { "\($0)-part\(number)" }
            }
            return
        }
        let volume = Volume(
            name: array.name, location: .array(name: location), device: device,
            identity: VolumeProbe.identity(candidates), candidates: candidates, typeName: array.levelName,
            identifierLinks: links(array.state))
        VolumeDiscovery.noteAmbiguity(volume, disk: nil, &result)
        result.volumes.append(volume)
    }

    /// udev's names for an array: its UUID as mdadm writes it, and its name.
    private static func links(_ block: MDSuperblock) -> [String] {
        let digits = block.arrayUUID.description.filter { $0 != "-" }
        let groups = stride(from: 0, to: digits.count, by: 8).map { digits.dropFirst($0).prefix(8) }
        return ["md-uuid-" + groups.joined(separator: ":")]
            + [block.name.map { "md-name-" + $0.displayText }].compactMap { $0 }
    }

    /// "md0" for a number, as /dev has it, "md/boot" for a name; with the array's UUID where that is taken.
    private static func uniqueName(
        of block: MDSuperblock, among result: DiscoveredVolumes
    ) -> (volume: String, location: String) {
        var location = block.arrayUUID.description.prefix(8).description
        if let minor = block.minor { location = String(minor) }
        if let name = block.name?.split(separator: UInt8(ascii: ":")).last {
            location = Array(name).displayText
        }
        var volume = location.allSatisfy(\.isNumber) ? "md\(location)" : "md/\(location)"
        if result.arrays.contains(where: { $0.name == volume }) {
            volume += "@" + block.arrayUUID.description.prefix(8)
        }
        return (volume, location)
    }

    /// Whether a disk that shows a table is as a whole a member of an array, so that the table is the array's own.
    ///
    /// Superblocks of version 1 say where they are; only 1.0's leaves the disk's first sector to the array. One of
    /// version 0.90 at the disk's end can be the last partition's as well: then it uses no more than the partition has.
    static func isWholeDiskMember(
        _ disk: any BlockDevice, contents: [VolumeIdentity], table: PartitionTable
    ) throws(StorageError) -> Bool {
        guard table.kind != .none, let first = contents.first, first.kind == .mdRAID else { return false }
        return try MDSuperblock.readAll(disk).contains { block in
            guard block.arrayUUID.description == first.uuid else { return false }
            switch block.version {
            case .v1_0: return true
            case .v1_1, .v1_2: return false
            case .v0_90:
                let place = table.entries.first {
                    $0.byteRange.contains(block.superblockOffset) && $0.holdsContents
                }
                return place.map { block.dataByteCount > UInt64($0.byteRange.count) } ?? true
            }
        }
    }
}
