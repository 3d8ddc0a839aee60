internal import Storage

/// The formats by name. The raw value is what `-f` takes and `info` prints.
package enum ImageFormat: String, Sendable, CaseIterable {
    /// A plain copy of the disk.
    case raw
    /// Microsoft's VHD, fixed, dynamic or differencing; qemu calls it vpc.
    case vhd
    /// Microsoft's VHDX.
    case vhdx
    /// VMware's.
    case vmdk
    /// QEMU's version 2 and 3.
    case qcow2

    /// From a name as users of qemu-img type it.
    package init?(name: String) {
        switch name.lowercased() {
        case "vpc", "vhd": self = .vhd
        default:
            guard let format = ImageFormat(rawValue: name.lowercased()) else { return nil }
            self = format
        }
    }

    /// From a file name's suffix: what `convert` makes of DST without `-O`.
    package init?(suffixOf path: String) {
        let name = HostFile.name(of: path)
        guard let dot = name.lastIndex(of: ".") else { return nil }
        switch name[name.index(after: dot)...].lowercased() {
        case "raw", "img", "dd", "bin": self = .raw
        case "vhd", "vpc", "avhd": self = .vhd
        case "vhdx", "avhdx": self = .vhdx
        case "vmdk": self = .vmdk
        case "qcow2", "qcow", "q2": self = .qcow2
        default: return nil
        }
    }
}
