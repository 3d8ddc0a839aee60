/// What a guest is being prepared for: a row of the table of targets.
package struct Target: Sendable, Equatable {
    /// The word on the command line.
    package var name: String
    /// The hypervisor.
    package var hypervisor: Hypervisor
    /// The controllers it can put the boot disk behind, its default first.
    package var controllers: [Controller]
    /// The firmware it boots with.
    package var firmware: Firmware
    /// The image format it takes by default, as the command line spells it, the best first.
    package var imageFormats: [String]
    /// Options of such an image that the target insists on, as `create` names them.
    package var imageOptions: [String: String]
    /// The kernel's console device that a user can see there; nil for the ordinary screen.
    package var serialConsole: String?

    /// The firmware a target offers.
    package enum Firmware: String, Sendable {
        /// Either, as the virtual machine is configured.
        case any
        /// A BIOS only.
        case bios
        /// UEFI only.
        case uefi
    }

    /// Every target, by the names of the command line.
    package static let all: [Target] = [
        Target("hyperv", .hyperv, [.ide, .storvsc], ["vhdx", "vhd"], firmware: .bios),
        Target("hyperv-gen2", .hyperv, [.storvsc], ["vhdx"], firmware: .uefi),
        Target(
            "vmware", .vmware, [.lsi1030, .pvscsi, .lsisas, .ahci, .nvme, .ide], ["vmdk"]),
        Target("xenserver", .xenserver, [.xenBlkfront, .ide], ["vhd"]),
        Target(
            "kvm", .kvm,
            [
                .virtioBlk, .virtioSCSI, .ide, .ahci, .nvme, .pvscsi, .lsisas, .megasas, .sym53c8xx,
            ], ["qcow2"]),
        Target(
            "virtualbox", .virtualbox, [.ahci, .ide, .lsi1030, .lsisas, .nvme, .virtioSCSI], ["vmdk"]),
        Target(
            "azure", .azure, [.storvsc, .ide, .nvme], ["vhd"], imageOptions: ["profile": "azure"],
            console: "ttyS0"),
        Target("aws", .aws, [.nvme, .xenBlkfront], ["raw"], console: "ttyS0"),
        Target("gcp", .gcp, [.virtioSCSI, .nvme], ["raw"], console: "ttyS0"),
    ]

    /// The target of that name.
    package static func named(_ name: String) -> Target? { all.first { $0.name == name } }

    /// The controller that a plan counts on unless the user chose one.
    package var defaultController: Controller { controllers.first ?? .ide }

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
