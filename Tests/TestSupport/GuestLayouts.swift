public import Storage

/// A volume of a fixture guest and the part of its tree that lies on it.
public struct GuestPart: Sendable {
    public var disk = 1
    public var number = 0
    public var kind: VolumeIdentity.Kind = .ext3
    public var uuid: String?
    public var label: String?
    public var mount: String?
    public var logical: (String, String)?
    public var type: String?
}

/// The UUID that expectations give to partition `number` of disk `disk`.
private func uuid(_ disk: Int, _ number: Int) -> String {
    "0000\(disk < 10 ? "0" : "")\(disk)\(number < 10 ? "0" : "")\(number)-1111-4222-8333-444455556666"
}

private func part(
    _ disk: Int, _ number: Int, _ kind: VolumeIdentity.Kind = .ext3, _ mount: String? = nil,
    uuid id: String? = nil,
    label: String? = nil, type: String? = nil
) -> GuestPart {
    GuestPart(
        disk: disk, number: number, kind: kind, uuid: id ?? uuid(disk, number), label: label, mount: mount,
        type: type)
}

private func logical(_ group: String, _ name: String, _ kind: VolumeIdentity.Kind, _ mount: String? = nil)
    -> GuestPart
{
    let sum = name.utf8.reduce(0) { $0 + Int($1) }
    return GuestPart(
        kind: kind, uuid: "10000000-0000-4000-8000-00000000\(1000 + sum)", mount: mount,
        logical: (group, name))
}

/// How each tree lies on its disks.
public let guestLayouts: [String: [GuestPart]] = [
    "rhel4-esx-lsi": [
        part(1, 1, .ext3, "/boot", label: "/boot"), part(1, 2, .ext3, "/", label: "/"),
        part(1, 3, .swap, label: "SWAP-sda3"), part(2, 1),
    ],
    "rhel5-esx-lsi": [
        part(1, 1, .ext3, "/boot"), part(1, 2, .ext3, "/"), part(1, 3, .swap), part(2, 1),
        part(2, 2, .vfat, uuid: "0202-ABCD"),
    ],
    "rhel5-xenserver-pv": [
        part(1, 1, .ext3, "/boot", label: "/boot"), part(1, 2, .lvm2),
        logical("VolGroup00", "LogVol00", .ext3, "/"), logical("VolGroup00", "LogVol01", .swap), part(2, 1),
    ],
    "rhel5-xen-multiboot": [
        part(1, 1, .ext3, "/boot"), part(1, 2, .lvm2), logical("VolGroup00", "LogVol00", .ext3, "/"),
    ],
    "rhel5-hyperv-ide": [part(1, 1, .ext3, "/boot"), part(1, 2, .ext3, "/"), part(1, 3, .swap)],
    "rhel6-esx-pvscsi": [
        part(1, 1, .ext4, "/boot", uuid: "c5ad3f49-1b0e-4bd0-a9a3-0f0a64d5d0a7"), part(1, 2, .lvm2),
        logical("vg_app01", "lv_root", .ext4, "/"), logical("vg_app01", "lv_swap", .swap), part(2, 1, .ext4),
    ],
    "centos7-esx-bios": [
        part(1, 1, .ext4, "/boot", uuid: "8d0c2a52-0d55-4e0f-9d40-0a7f0f7f2b10"), part(1, 2, .ext4, "/"),
        part(1, 3, .swap), part(2, 1, .ext4),
    ],
    "rhel9-uefi-lvmdevices": [
        part(1, 1, .vfat, "/boot/efi", uuid: "5A1C-0F3E", type: "EFI System"),
        part(1, 2, .ext4, "/boot", uuid: "7a1d2e90-6c52-4c1e-9f0b-6a7b8c9d0e1f"),
        part(1, 3, .lvm2, uuid: "QmPv1x-KZ0a-S9dF-8gH7-jK6l-L5zX-4cV3bN"),
        logical("rhel", "root", .ext4, "/"), logical("rhel", "swap", .swap), part(2, 1, .xfs),
    ],
    "sles11-xenserver-qemu-byid": [part(1, 1, .swap), part(1, 2, .ext3, "/"), part(2, 1)],
    "ubuntu606-hyperv-hda": [part(1, 1, .ext3, "/"), part(1, 5, .swap)],
    "ubuntu2204-esx-uefi": [
        part(1, 1, .vfat, "/boot/efi", uuid: "9C7A-4E21", type: "EFI System"),
        part(1, 2, .ext4, "/boot", uuid: "0e6f9b8a-7c3d-4f1b-9a40-5d2c8e7f6a10"),
        logical("ubuntu-vg", "ubuntu-lv", .ext4, "/"),
    ],
    "debian3-lilo": [part(1, 1, .ext3, "/"), part(1, 5, .swap)],
    "debian4-xenserver-pv": [part(1, 1, .ext3, "/"), part(2, 1, .swap)],
    "debian12-esx": [
        part(1, 1, .ext4, "/", uuid: "a3c1e0b2-43a7-4c5e-9c8f-0c2a4a1f6d21"),
        part(1, 5, .swap, uuid: "5b8f0c8e-2f3b-4d7a-8e53-3f9a2d1c7b64"), part(2, 1, .ext4), part(2, 2, .luks),
    ],
    "alpine-extlinux": [
        part(1, 1, .ext4, "/boot", uuid: "0c2f1e33-9f7d-4f0b-9d7d-3a1e8a0b5a0e"), part(1, 2, .swap),
        part(1, 3, .ext4, "/"),
    ],
    "arch-systemd-boot": [
        part(1, 1, .vfat, "/boot", uuid: "3C2B-1A0F", type: "EFI System"),
        part(1, 2, .ext4, "/", uuid: "f1e2d3c4-b5a6-4978-8a9b-0c1d2e3f4a5b"), part(1, 3, .swap),
    ],
    "ec2-amzn1-xvda": [part(1, 1, .ext4, "/", label: "/")],
]

/// What the trees were made for.
public let guestCases: [(tree: String, targets: [String])] = [
    ("rhel4-esx-lsi", ["hyperv", "kvm"]), ("rhel5-esx-lsi", ["hyperv", "kvm", "xenserver"]),
    ("rhel5-xenserver-pv", ["hyperv", "vmware"]), ("rhel5-xen-multiboot", ["hyperv", "kvm"]),
    ("rhel5-hyperv-ide", ["vmware", "kvm"]), ("rhel6-esx-pvscsi", ["kvm", "xenserver", "hyperv"]),
    ("centos7-esx-bios", ["kvm", "hyperv"]), ("rhel9-uefi-lvmdevices", ["kvm", "hyperv-gen2"]),
    ("sles11-xenserver-qemu-byid", ["hyperv", "vmware", "kvm"]), ("ubuntu606-hyperv-hda", ["vmware", "kvm"]),
    ("ubuntu2204-esx-uefi", ["hyperv-gen2", "kvm"]), ("debian3-lilo", ["hyperv", "vmware", "kvm"]),
    ("debian4-xenserver-pv", ["hyperv", "vmware", "kvm"]), ("debian12-esx", ["kvm", "hyperv"]),
    ("alpine-extlinux", ["vmware", "hyperv"]), ("arch-systemd-boot", ["kvm", "vmware"]),
    ("ec2-amzn1-xvda", ["kvm", "vmware"]),
]
