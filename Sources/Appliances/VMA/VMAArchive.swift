internal import Machines
internal import Storage

/// Opens a backup of Proxmox VE.
enum VMAArchive {
    private static let configurationName = Array("qemu-server.conf".utf8)
    /// Runs of clusters, 12 bytes each; one an extent where the backup was written in order.
    private static let runLimit = 8 << 20
    private static let extentLimit = 16 << 20

    /// Reads the headers of all extents. `isSalvage`: what is cut off or damaged ends there.
    static func open(
        _ file: any ByteFile, machine name: String? = nil, isSalvage: Bool = false
    ) throws(StorageError) -> Appliance {
        let header = try VMAHeader(file)
        var machine = Machine()
        machine.platform = .kvm
        if let found = header.files.first(where: { $0.name == configurationName }) {
            machine = try DescriptionLanguage.proxmox.read(found.contents, machine: name)
        }
        var notes = machine.notes
        var lengths = [UInt64](repeating: 0, count: VMAHeader.slots)
        for device in header.devices { lengths[device.number] = device.byteCount }
        var clusters = [VMAClusters](repeating: VMAClusters(), count: VMAHeader.slots)
        var places: [UInt64] = []
        var runCount = 0
        var position = header.byteCount
        let length = file.byteCount
        do throws(StorageError) {
            while position < length {
                try Cancellation.check()
                let bytes = try file.availableBytes(at: position, count: VMAExtent.headerByteCount)
                let extent = try VMAExtent(bytes, at: position, identifier: header.identifier)
                let end =
                    position + UInt64(VMAExtent.headerByteCount)
                    + UInt64(extent.blockCount) * VMAExtent.blockByteCount
                guard end <= length else {
                    throw .appliance(
                        .corrupt, .badExtent, "is cut off within an extent", structure: "extent",
                        offset: position)
                }
                guard places.count < extentLimit, runCount < runLimit else {
                    throw .appliance(
                        .refused, .tooManyMembers, "has its disks in more pieces than any backup",
                        offset: position)
                }
                runCount += try note(extent, UInt32(places.count), lengths, &clusters, at: position)
                places.append(position)
                position = end
            }
        } catch {
            guard isSalvage, error.kind == .corrupt else { throw error }
            notes.append("is cut off or damaged at byte \(position); what lies behind it is lost")
        }
        let backup = VMABackup(file, places: places, identifier: header.identifier)
        var files: [[UInt8]: VMADiskFile] = [:]
        for device in header.devices {
            if let twice = clusters[device.number].sort() {
                throw .appliance(
                    .corrupt, .badExtent,
                    "has cluster \(twice) of \(device.name.shellText) twice", structure: "extent")
            }
            let found = clusters[device.number]
            let size = VMAExtent.clusterByteCount
            let wanted = device.byteCount / size + (device.byteCount % size > 0 ? 1 : 0)
            guard found.count == wanted || isSalvage else {
                throw .appliance(
                    .corrupt, .badExtent,
                    "holds \(found.count) of the \(wanted) clusters of \(device.name.shellText): the backup is cut off"
                )
            }
            files[device.name] = VMADiskFile(backup, device, found)
        }
        return appliance(machine, header, files, notes)
    }

    /// Notes where an extent's clusters lie. Returns how many runs were added.
    private static func note(
        _ extent: VMAExtent, _ number: UInt32, _ lengths: [UInt64], _ clusters: inout [VMAClusters],
        at position: UInt64
    ) throws(StorageError) -> Int {
        // All of them before the first is noted: an extent that is left out has none.
        for entry in extent.entries
        where UInt64(entry.cluster) * VMAExtent.clusterByteCount >= lengths[entry.device] {
            throw .appliance(
                .corrupt, .badExtent, "an extent names a device or a cluster that there is not",
                structure: "extent", offset: position)
        }
        var added = 0
        for (index, entry) in extent.entries.enumerated() {
            let before = clusters[entry.device].runs.count
            clusters[entry.device].note(entry.cluster, extent: number, entry: UInt8(index))
            added += clusters[entry.device].runs.count - before
        }
        return added
    }

    /// The machine's disks, in its order: those of its configuration that were saved, or without one all that were.
    private static func appliance(
        _ described: Machine, _ header: VMAHeader, _ files: [[UInt8]: VMADiskFile], _ notes: [String]
    ) -> Appliance {
        var machine = described
        var notes = notes
        var left = header.devices.filter { !isNoDisk($0.name) }
        var disks: [Appliance.Disk] = []
        machine.disks = []
        for var disk in described.disks {
            let name = "drive-\(deviceName(disk))"
            guard let file = files[Array(name.utf8)] else {
                notes.append(
                    "does not hold the disk \(deviceName(disk)) (\(disk.file.hostBytes.shellText)), which was left out of the backup"
                )
                machine.absentDisks.append(disk)
                continue
            }
            left.removeAll { $0.name == Array(name.utf8) }
            disk.format = "raw"
            disk.byteCount = file.byteCount
            machine.disks.append(disk)
            disks.append(Appliance.Disk(name: deviceName(disk), file: file))
        }
        for device in left {
            guard let file = files[device.name] else { continue }
            let name = String(hostBytes: device.name)
            if !described.disks.isEmpty {
                notes.append(
                    "holds \(device.name.shellText), which its configuration does not name as a disk")
            }
            machine.disks.append(Machine.Disk(file: name, format: "raw", byteCount: file.byteCount))
            disks.append(
                Appliance.Disk(
                    name: device.name.contains(UInt8(ascii: "/")) ? "disk\(disks.count + 1)" : name,
                    file: file))
        }
        return Appliance(machine: machine, disks: disks, notes: notes)
    }

    /// What Proxmox calls a disk of its configuration.
    private static func deviceName(_ disk: Machine.Disk) -> String {
        let bus =
            switch disk.controller?.kind {
            case .ide?: "ide"
            case .ahci?: "sata"
            case .virtioBlk?: "virtio"
            default: "scsi"
            }
        return "\(bus)\(disk.unit ?? 0)"
    }

    /// Variables of the firmware, a TPM's state and a machine's memory are saved as devices, too.
    private static func isNoDisk(_ name: [UInt8]) -> Bool {
        name == Array("vmstate".utf8)
            || ["drive-efidisk", "drive-tpmstate"].contains { name.starts(with: Array($0.utf8)) }
    }
}
