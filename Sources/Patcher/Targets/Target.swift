/// What a guest is being prepared for: a row of the table of targets.
public struct Target: Sendable, Hashable {
    /// Its name: "hyperv-gen2".
    public let name: String
    /// The hypervisor.
    public let hypervisor: Hypervisor
    /// The controllers it can put the boot disk behind, its default first.
    public let controllers: [Controller]
    /// The firmware it boots with.
    public let firmware: Firmware
    /// The image format it takes by default, by their names, the best first.
    package var imageFormats: [String]
    /// Options of such an image that the target insists on, as `create` names them.
    package var imageOptions: [String: String]
    /// The kernel's console device that a user can see there; nil for the ordinary screen.
    package var serialConsole: String?

    /// The firmware a target offers.
    public enum Firmware: String, Sendable {
        /// Either, as the virtual machine is configured.
        case any
        /// A BIOS only.
        case bios
        /// UEFI only.
        case uefi
    }

    /// Hyper-V, generation 1.
    public static let hyperv = Target("hyperv", .hyperv, [.ide, .storvsc], ["vhdx", "vhd"], firmware: .bios)
    /// Hyper-V, generation 2.
    public static let hypervGeneration2 = Target(
        "hyperv-gen2", .hyperv, [.storvsc], ["vhdx"], firmware: .uefi)
    /// VMware ESX, Workstation, Fusion. ESX attaches no monolithicSparse disk.
    public static let vmware = Target(
        "vmware", .vmware, [.lsi1030, .pvscsi, .lsisas, .ahci, .nvme, .ide], ["vmdk"],
        imageOptions: ["subformat": "vmfs"])
    /// Citrix XenServer, XCP-ng.
    public static let xenserver = Target("xenserver", .xenserver, [.xenBlkfront, .ide], ["vhd"])
    /// QEMU with KVM, Proxmox, oVirt.
    public static let kvm = Target(
        "kvm", .kvm,
        [.virtioBlk, .virtioSCSI, .ide, .ahci, .nvme, .pvscsi, .lsisas, .megasas, .sym53c8xx], ["qcow2"])
    /// Oracle VirtualBox.
    public static let virtualbox = Target(
        "virtualbox", .virtualbox, [.ahci, .ide, .lsi1030, .lsisas, .nvme, .virtioSCSI], ["vmdk"])
    /// Microsoft Azure.
    public static let azure = Target(
        "azure", .azure, [.storvsc, .ide, .nvme], ["vhd"], imageOptions: ["profile": "azure"],
        console: "ttyS0")
    /// Amazon EC2.
    public static let aws = Target("aws", .aws, [.nvme, .xenBlkfront], ["raw"], console: "ttyS0")
    /// Google Compute Engine.
    public static let gcp = Target("gcp", .gcp, [.virtioSCSI, .nvme], ["raw"], console: "ttyS0")

    /// Whether its hypervisor opens disks of these formats alone.
    package var insistsOnFormats: Bool { [.hyperv, .azure, .vmware].contains(hypervisor) }

    /// Every target.
    public static let all: [Target] = [
        hyperv, hypervGeneration2, vmware, xenserver, kvm, virtualbox, azure, aws, gcp,
    ]

    /// Whether the machine's own UEFI finds disks behind a controller. QEMU's is OVMF as distributions build it, without drivers
    /// for the rest (edk2's PVSCSI_ENABLE, MPT_SCSI_ENABLE, LSI_SCSI_ENABLE; probed with Debian's: docs/boot-matrix.md).
    package func startsByUEFI(behind controller: Controller) -> Bool {
        hypervisor != .kvm || [.ide, .ahci, .virtioBlk, .virtioSCSI, .nvme].contains(controller)
    }

    /// The target of that name.
    package static func named(_ name: String) -> Target? { all.first { $0.name == name } }

    /// The controller that a plan counts on unless the user chose one.
    public var defaultController: Controller { controllers.first ?? .ide }

    private init(
        _ name: String, _ hypervisor: Hypervisor, _ controllers: [Controller], _ formats: [String],
        firmware: Firmware = .any, imageOptions: [String: String] = [:], console: String? = nil
    ) {
        self.name = name
        self.hypervisor = hypervisor
        self.controllers = controllers
        self.firmware = firmware
        imageFormats = formats
        self.imageOptions = imageOptions
        serialConsole = console
    }
}
