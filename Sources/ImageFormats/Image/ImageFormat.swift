internal import Storage

/// The formats of disk images. The raw value is the name that people type.
public enum ImageFormat: String, Sendable, CaseIterable {
    /// A plain copy of the disk.
    case raw
    /// Microsoft's VHD, fixed, dynamic or differencing; qemu calls it vpc.
    case vhd
    /// Microsoft's VHDX.
    case vhdx
    /// VMware's.
    case vmdk
    /// VirtualBox's.
    case vdi
    /// QEMU's version 2 and 3.
    case qcow2
    /// QEMU's version 1; read only.
    case qcow
    /// QEMU's enhanced disk format; read only.
    case qed
    /// Parallels' and Virtuozzo's expanding image; read only.
    case parallels

    /// Whether images of it are made here; the others are only read.
    public var isMade: Bool {
        switch self {
        case .raw, .vhd, .vhdx, .vmdk, .vdi, .qcow2: true
        case .qcow, .qed, .parallels: false
        }
    }

    /// Other names that users of qemu-img type.
    private var aliases: [String] {
        switch self {
        case .vhd: ["vpc"]
        default: []
        }
    }

    /// qemu's name.
    public var qemuName: String { self == .vhd ? "vpc" : rawValue }

    /// What the names of its files end in; new ones in the first.
    private var suffixes: [String] {
        switch self {
        case .raw: ["img", "raw", "dd", "bin"]
        case .vhd: ["vhd", "vpc", "avhd"]
        case .vhdx: ["vhdx", "avhdx"]
        case .vmdk: ["vmdk"]
        case .vdi: ["vdi"]
        // People who write .qcow mean the newer one.
        case .qcow2: ["qcow2", "qcow", "q2"]
        case .qcow: []
        case .qed: ["qed"]
        case .parallels: ["hdd", "hds", "parallels"]
        }
    }

    /// What the name of a new file ends in.
    public var suffix: String { suffixes.first ?? rawValue }

    /// From a name as users of qemu-img type it.
    public init?(name: String) {
        let name = name.lowercased()
        guard let format = Self.allCases.first(where: { ([$0.rawValue] + $0.aliases).contains(name) }) else {
            return nil
        }
        self = format
    }

    /// From a file name's suffix; nil where none has it.
    public init?(suffixOf path: String) {
        let name = HostPath.name(of: path)
        guard let dot = name.lastIndex(of: ".") else { return nil }
        let suffix = name[name.index(after: dot)...].lowercased()
        guard let format = Self.allCases.first(where: { $0.suffixes.contains(suffix) }) else { return nil }
        self = format
    }

    /// All names in a sentence: "raw, vhd (or vpc), vhdx…".
    public static var names: String { names(of: allCases) }

    /// Those that are made, alike.
    public static var madeNames: String { names(of: allCases.filter(\.isMade)) }

    private static func names(of formats: [ImageFormat]) -> String {
        formats.map { format in
            ([format.rawValue] + format.aliases.map { "(or \($0))" }).joined(separator: " ")
        }.joined(separator: ", ")
    }

    /// All suffixes of new files in a sentence: ".img, .vhd…".
    public static var suffixNames: String {
        allCases.filter(\.isMade).map { ".\($0.suffix)" }.joined(separator: ", ")
    }
}
