// What buses show of a device, as the kernel's file2alias writes it.

/// The modalias of a PCI function: identifiers of the device and of its subsystem, class, subclass and interface.
func pci(
    _ vendor: UInt16, _ device: UInt16, _ subvendor: UInt16, _ subdevice: UInt16, class kind: UInt32
) -> String {
    "pci:v" + hex(UInt32(vendor), 8) + "d" + hex(UInt32(device), 8) + "sv" + hex(UInt32(subvendor), 8) + "sd"
        + hex(UInt32(subdevice), 8) + "bc" + hex(kind >> 16 & 0xff, 2) + "sc" + hex(kind >> 8 & 0xff, 2) + "i"
        + hex(kind & 0xff, 2)
}

/// The modalias of a virtio device: 1 network, 2 block, 8 SCSI.
func virtio(_ device: UInt32, vendor: UInt32 = 0x1af4) -> String {
    "virtio:d" + hex(device, 8) + "v" + hex(vendor, 8)
}

private func hex(_ value: UInt32, _ count: Int) -> String {
    let text = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, count - text.count)) + text
}

/// Classes of PCI: base, sub, interface.
enum PCIClass {
    static let scsi: UInt32 = 0x01_00_00
    static let ide: UInt32 = 0x01_01_80
    static let ideBothModes: UInt32 = 0x01_01_8a
    static let raid: UInt32 = 0x01_04_00
    static let ahci: UInt32 = 0x01_06_01
    static let sas: UInt32 = 0x01_07_00
    static let nvme: UInt32 = 0x01_08_02
    static let ethernet: UInt32 = 0x02_00_00
}
