package import Storage

/// A language in which a new machine is described for whoever makes it.
public enum MachineLanguage: String, Sendable, CaseIterable, Encodable {
    /// libvirt's domain XML.
    case libvirt
    /// Proxmox VE: commands of `qm`.
    case proxmox
    /// VMware's .vmx.
    case vmx
    /// An OVF envelope, as VMware reads it.
    case ovf
    /// Hyper-V: a PowerShell script.
    case hyperv
    /// A command of virt-install.
    case virtInstall = "virt-install"
    /// A command of QEMU.
    case qemu
    /// VirtualBox: commands of VBoxManage.
    case virtualbox
    /// XenServer and XCP-ng: commands of `xe`.
    case xe

    /// What the file's name ends in, without the dot.
    package var suffix: String {
        switch self {
        case .libvirt: "xml"
        case .vmx, .ovf: rawValue
        case .hyperv: "ps1"
        case .proxmox, .virtInstall, .qemu, .virtualbox, .xe: "\(rawValue).sh"
        }
    }

    /// The targets that it describes machines for.
    package var targets: [String] {
        switch self {
        case .libvirt, .proxmox, .virtInstall, .qemu: ["kvm"]
        case .vmx: ["vmware"]
        case .ovf: ["vmware", "virtualbox"]
        case .hyperv: ["hyperv", "hyperv-gen2"]
        case .virtualbox: ["virtualbox"]
        case .xe: ["xenserver"]
        }
    }

    /// The controllers that it has words for, with how many disks one takes.
    var controllers: [DiskController.Kind: Int] {
        switch self {
        // libvirt has words for NVMe disks of the host alone.
        case .libvirt, .virtInstall:
            [
                .ide: 4, .ahci: 6, .virtioBlk: 24, .virtioSCSI: 256, .sym53c8xx: 7, .lsisas: 8, .pvscsi: 64,
                .megasas: 64, .usb: 6,
            ]
        case .qemu:
            [
                .ide: 4, .ahci: 6, .virtioBlk: 24, .virtioSCSI: 256, .sym53c8xx: 7, .lsisas: 8, .pvscsi: 64,
                .megasas: 64, .nvme: 24,
            ]
        case .proxmox:
            [.ide: 4, .ahci: 6, .virtioBlk: 16, .virtioSCSI: 31, .sym53c8xx: 7, .pvscsi: 31, .megasas: 31]
        case .vmx, .ovf:
            [.ide: 4, .ahci: 30, .buslogic: 15, .lsi1030: 15, .lsisas: 15, .pvscsi: 15, .nvme: 15]
        case .hyperv: [.ide: 3, .storvsc: 64]
        case .virtualbox:
            [.ide: 4, .ahci: 30, .buslogic: 15, .lsi1030: 15, .lsisas: 8, .nvme: 24, .virtioSCSI: 64]
        case .xe: [.xenBlkfront: 16, .ide: 4]
        }
    }

    /// The machine in this language. The disks are named as they lie in `directory`, an absolute path; each has a controller
    /// and a unit.
    ///
    /// Throws `unsupported` where the language has no words for what the machine has, or for a name in it.
    package func text(of machine: Machine, in directory: String) throws(StorageError) -> String {
        try check(machine, directory)
        switch self {
        case .libvirt: return LibvirtDomain(machine, directory).text
        case .proxmox: return ProxmoxCommands(machine, directory).text
        case .vmx: return VMXText(machine).text
        case .ovf: return OVFText(machine).text
        case .hyperv: return HyperVScript(machine).text
        case .virtInstall: return VirtInstallCommand(machine, directory).text
        case .qemu: return QEMUCommand(machine).text
        case .virtualbox: return VirtualBoxCommands(machine).text
        case .xe: return XeCommands(machine).text
        }
    }

    /// Whether QEMU runs what it describes.
    private var isQEMU: Bool { targets == ["kvm"] }

    private func check(_ machine: Machine, _ directory: String) throws(StorageError) {
        guard !machine.disks.isEmpty else {
            throw StorageError(.misuse, MachineCode.noDisk, "a machine without disks is not described")
        }
        // What a line, a quoted word or an XML text cannot hold.
        let names =
            machine.disks.map(\.file) + machine.cards.compactMap(\.network) + [directory, machine.shownName]
        // `qm` takes what stands behind a comma for an option, and has no way to say that it is none.
        let commas = self == .proxmox ? machine.disks.map(\.file) + machine.cards.compactMap(\.network) : []
        for name in names {
            let isText = name.hexOfHostBytes == nil
            let isShown = !name.unicodeScalars.contains {
                $0.value < 0x20 || $0.value == 0x7f || $0.properties.isNoncharacterCodePoint
            }
            guard !isText || !isShown || commas.contains(name) && name.contains(",") else { continue }
            throw StorageError(
                .unsupported, MachineCode.nameNotExpressible,
                "\(name.hostBytes.displayText) has characters that no description of a machine can name; give it another name"
            )
        }
        if isQEMU, machine.startsSignedLoadersAlone,
            machine.disks.contains(where: { $0.controller?.kind == .ide })
        {
            throw StorageError(
                .unsupported, MachineCode.controllerNotExpressible,
                "QEMU's board with Secure Boot has no IDE controller; put the disks behind another one")
        }
        if self == .libvirt || self == .virtInstall,
            let disk = machine.disks.first(where: { $0.format == "vhdx" })
        {
            throw StorageError(
                .unsupported, MachineCode.formatNotExpressible,
                "libvirt opens no VHDX disk (\(disk.file.hostBytes.shellText)); make qcow2, raw, VMDK, VHD or VDI"
            )
        }
        var units: Set<String> = []
        for disk in machine.disks {
            guard let controller = disk.controller, let unit = disk.unit,
                let limit = controllers[controller.kind]
            else {
                throw StorageError(
                    .unsupported, MachineCode.controllerNotExpressible,
                    "\(rawValue) has no words for a disk behind \(disk.controller?.kind.rawValue ?? "an unknown controller"); it has for "
                        + controllers.keys.map(\.rawValue).sorted().joined(separator: ", "))
            }
            guard unit >= 0, unit < limit,
                units.insert("\(controller.kind.rawValue) \(controller.number) \(unit)").inserted
            else {
                throw StorageError(
                    .unsupported, MachineCode.tooManyDisks,
                    "\(limit) disks fit behind one \(controller.kind.rawValue) controller in \(rawValue)")
            }
        }
    }
}
