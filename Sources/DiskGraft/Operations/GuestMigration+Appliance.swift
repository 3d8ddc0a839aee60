internal import Appliances
internal import HostIO
internal import ImageFormats
internal import Machines
internal import Patcher
public import Storage

extension GuestMigration {
    /// Makes `destination` an appliance of the guest's disks as they are.
    public func copy(_ guest: Guest, to destination: String) throws(StorageError) -> [Output] {
        guard let appliance else {
            throw StorageError(.misuse, OutputCode.formatUnknown, "no archive is chosen", path: destination)
        }
        var copy = self
        copy.leavesUnpatched = true
        return try copy.run(guest, to: destination, PlanOptions(target: appliance.target))
    }

    /// Throws `misuse` for what an appliance is not made with.
    func requirePackable(_ kind: ApplianceFormat, _ target: Target) throws(StorageError) {
        guard descriptions.isEmpty else {
            throw StorageError(
                .misuse, PlanCode.languageOfAnotherTarget, "an appliance has the machine's description in it")
        }
        let subformat = conversion.options.last { $0.key == "subformat" }?.value
        let isStream = subformat.map { $0 == "streamOptimized" } ?? true
        guard kind == .ova ? isStream : conversion.options.isEmpty else {
            throw StorageError(
                .misuse, PlanCode.disksOfAnotherLanguage,
                kind == .ova
                    ? "the disks of an OVA are streamOptimized VMDKs" : "the disks of an XVA take no options")
        }
        let names = kind == .ova ? MachineLanguage.ovf.targets : [Target.xenserver.name]
        guard leavesUnpatched || names.contains(target.name) else {
            throw StorageError(
                .misuse, PlanCode.languageOfAnotherTarget,
                "an \(kind.rawValue) is for \(names.alternatives), not for \(target.name)")
        }
    }

    /// The one output of all disks.
    func applianceOutputs(
        _ kind: ApplianceFormat, for guest: Guest, to destination: String
    ) -> [Output] {
        var path = destination
        if HostDirectory.isDirectory(destination), let first = guest.images.first {
            let name = guest.machine.map { HostPath.name(of: $0.path) } ?? HostPath.name(of: first.path)
            path += "/\(DiskSources.stem(of: name)).\(kind.rawValue)"
        }
        return guest.images.map { Output(source: $0.path, path: path) }
    }

    /// Writes all disks into one archive, which appears when it is whole.
    func pack(
        _ kind: ApplianceFormat, _ devices: [any BlockDevice], of guest: Guest, to path: String,
        _ new: NewMachine
    ) throws(StorageError) {
        let sources = guest.devices.flatMap(\.hostFiles) + guest.images.flatMap(\.containers)
        let stem = DiskSources.stem(of: HostPath.name(of: path))
        let vmdk = try ImageProbe.driver(for: .vmdk)
        for device in devices { _ = try conversion.sectorSize(of: device, vmdk, path) }
        let machine = try packed(kind, devices, stem, new)
        let output = try PendingOutput(path, companions: [], protected: sources, holding: sources)
        do throws(StorageError) {
            let file = try HostFile.create(output.path)
            switch kind {
            case .ova: try writeOVA(machine, devices, to: file, stem)
            case .xva:
                let total = devices.reduce(UInt64(0)) { $0 &+ $1.byteCount }
                var done: UInt64 = 0
                var writer = XVAWriter(file)
                try writer.write(machine, devices) { count in
                    done += count
                    conversion.progress?(min(done, total), total)
                }
            }
        } catch {
            output.discard()
            throw output.named(error)
        }
        try output.publish()
    }

    /// The machine with its disks as they are called in the archive. Throws `unsupported` where OVF has no words for it: before
    /// anything is made.
    private func packed(
        _ kind: ApplianceFormat, _ devices: [any BlockDevice], _ stem: String, _ new: NewMachine
    ) throws(StorageError) -> Machine {
        var disks: [Machine.Disk] = []
        for (index, device) in devices.enumerated() {
            var disk = Machine.Disk(file: "\(stem)-disk\(index + 1).vmdk", format: "vmdk")
            // Sectors are whole in a VMDK.
            disk.byteCount = kind == .ova ? device.byteCount.roundedUp(to: 512) : device.byteCount
            disk.fileByteCount = UInt64(Int64.max)
            disks.append(disk)
        }
        var machine = try new.machine(named: stem, disks)
        // VMware's words for a guest's system are its own.
        if let old = new.source, old.platform == .vmware, let system = old.operatingSystem,
            system.utf8.allSatisfy({
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95
            })
        {
            machine.operatingSystem = system
        }
        // A copy keeps the places that were described.
        if new.plan == nil, let old = new.source, old.disks.count == disks.count, kind == .ova {
            var placed = machine
            for index in placed.disks.indices {
                placed.disks[index].controller = old.disks[index].controller
                placed.disks[index].unit = old.disks[index].unit
            }
            if (try? MachineLanguage.ovf.text(of: placed, in: "/")) != nil { machine = placed }
        }
        if kind == .ova { _ = try MachineLanguage.ovf.text(of: machine, in: "/") }
        return machine
    }

    private func writeOVA(
        _ machine: Machine, _ devices: [any BlockDevice], to file: HostFile, _ stem: String
    ) throws(StorageError) {
        var machine = machine
        // The lengths of the disks' files are known when they are written; none has more digits than this.
        let room = try MachineLanguage.ovf.text(of: machine, in: "/").utf8.count
        let writer = try OVAWriter(
            file, description: stem + ".ovf", descriptionByteCount: room, disks: machine.disks.map(\.file))
        for (index, device) in devices.enumerated() {
            try writer.begin()
            let stream = try VMDKStreamWriter(
                to: writer, name: machine.disks[index].file, byteCount: device.byteCount,
                options: ImageCreateOptions(
                    files: NoOtherFiles(),
                    values: conversion.options
                        + Self.adapterType(machine.disks[index], conversion.options)))
            machine.disks[index].byteCount = stream.byteCount
            try conversion.write(device, to: stream)
            machine.disks[index].fileByteCount = try writer.end()
        }
        try writer.finish(try MachineLanguage.ovf.text(of: machine, in: "/"))
    }
}
