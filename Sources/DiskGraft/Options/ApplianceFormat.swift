internal import HostIO
internal import Storage

/// The archives in which a machine is made with its disks.
public enum ApplianceFormat: String, Sendable, CaseIterable {
    /// The DMTF's, as VMware reads it: an OVF, a manifest, streamOptimized VMDKs.
    case ova
    /// XenServer's and XCP-ng's export.
    case xva

    /// Their names, for people.
    public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// The one that is asked for: by `format`, or where that is nil by what `path` ends in; nil for formats of disks.
    public static func chosen(_ format: String?, for path: String) -> ApplianceFormat? {
        if let format { return ApplianceFormat(rawValue: format.lowercased()) }
        guard !HostDirectory.isDirectory(path) else { return nil }
        return allCases.first { path.lowercased().hasSuffix(".\($0.rawValue)") }
    }

    /// The target that such machines are made for where none is named.
    var target: Target {
        switch self {
        case .ova: .vmware
        case .xva: .xenserver
        }
    }
}
