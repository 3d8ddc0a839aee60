package import Storage

/// Finds the volumes on the disks of one guest.
package enum VolumeDiscovery {
    /// More disks than a guest can have.
    package static let diskLimit = 256

    /// Reads tables and signatures of `disks`, which are the first, second… disk of one guest. Nothing is written.
    /// Damage to one structure is a finding; thrown are input errors on a disk's first sectors, and `refused`
    /// where going on could take one volume for another (a group on several disks, of which one is there twice).
    ///
    /// `probe` says what the volumes hold. `allowDegraded` lets an array be written though members that it counts on
    /// are not given: they must be rebuilt afterwards.
    package static func discover(
        disks: [any BlockDevice], probe: VolumeProbe, allowDegraded: Bool = false
    ) throws(StorageError) -> DiscoveredVolumes {
        guard disks.count <= diskLimit else {
            throw .partition(.misuse, .tooManyDisks, "\(disks.count) disks are more than \(diskLimit)")
        }
        var result = DiscoveredVolumes(disks: [], volumes: [])
        for (index, disk) in disks.enumerated() {
            let contents = try probe.candidates(disk)
            var partitions = PartitionProbe(disk, probe)
            var table = try DiskTable.read(contents: contents, &partitions)
            if try MDAssembly.isWholeDiskMember(disk, contents: contents, table: table) {
                // The table is the array's, seen through one of its members.
                table = PartitionTable(kind: .none, sectorSize: disk.sectorSize)
            }
            let layout = DiskLayout(index: index, byteCount: disk.byteCount, table: table, contents: contents)
            result.disks.append(layout)
            result.findings += table.findings.map { finding in
                var finding = finding
                finding.disk = index
                return finding
            }
            try addVolumes(of: layout, &partitions, to: &result)
        }
        // Groups may lie on arrays, so arrays come first.
        try MDAssembly.add(to: &result, probe, allowDegraded: allowDegraded)
        try LVMAssembly.add(to: &result, probe)
        FileSystemMembers.mark(&result)
        // Being stopped is no finding about a volume.
        try Cancellation.check()
        return result
    }

    private static func addVolumes(
        of layout: DiskLayout, _ partitions: inout PartitionProbe, to result: inout DiscoveredVolumes
    ) throws(StorageError) {
        let prefix = layout.index == 0 ? "" : "\(layout.index + 1):"
        if layout.table.kind == .none {
            let volume = Volume(
                name: prefix + "disk", location: .wholeDisk(disk: layout.index), device: partitions.device,
                identity: VolumeProbe.identity(layout.contents), candidates: layout.contents)
            noteAmbiguity(volume, disk: layout.index, &result)
            result.volumes.append(volume)
            return
        }
        try addPartitions(of: layout.table, &partitions, disk: layout.index, to: &result) { number in
            ("\(prefix)p\(number)", .partition(disk: layout.index, number: number))
        }
    }

    /// Adds the partitions of a disk or of an array; `disk` is the disk that findings are about.
    static func addPartitions(
        of table: PartitionTable, _ partitions: inout PartitionProbe, disk: Int?,
        to result: inout DiscoveredVolumes, named name: (Int) -> (name: String, location: Volume.Location)
    ) throws(StorageError) {
        for entry in table.entries where entry.holdsContents {
            let (name, location) = name(entry.number)
            let slice = try partitions.slice(entry.byteRange)
            let candidates: [VolumeIdentity]
            do { candidates = try identify(entry, &partitions) } catch {
                // One unreadable partition leaves the others readable.
                candidates = []
                result.findings.append(
                    Finding(
                        .damage, LayoutCode.volumeUnreadable, "\(name) cannot be read: \(error)", disk: disk))
            }
            let volume = Volume(
                name: name, location: location, device: slice, identity: VolumeProbe.identity(candidates),
                candidates: candidates, partitionUUID: entry.partitionUUID, partitionLabel: entry.name,
                typeName: entry.typeName, isEFISystemPartition: entry.isEFISystemPartition,
                isExtendedBoot: entry.isExtendedBoot)
            noteAmbiguity(volume, disk: disk, &result)
            result.volumes.append(volume)
        }
    }

    /// A Windows dynamic disk's partitions have no signature of their own: the type says it.
    private static func identify(
        _ entry: PartitionEntry, _ partitions: inout PartitionProbe
    ) throws(StorageError) -> [VolumeIdentity] {
        let candidates = try partitions.candidates(entry.byteRange)
        let isDynamic =
            entry.typeCode == MBRType.ldm
            || entry.typeGUID.map { GPTType.ldm.contains($0.description) } ?? false
        guard isDynamic else { return candidates }
        return [VolumeIdentity(kind: .init(rawValue: "LDM_member"))] + candidates
    }

    static func noteAmbiguity(_ volume: Volume, disk: Int?, _ result: inout DiscoveredVolumes) {
        guard volume.candidates.count > 1 else { return }
        let names = volume.candidates.map(\.kind.rawValue).joined(separator: ", ")
        result.findings.append(
            Finding(
                .warning, LayoutCode.ambiguousVolume,
                "\(volume.name) carries more than one signature: \(names)",
                disk: disk))
    }
}
