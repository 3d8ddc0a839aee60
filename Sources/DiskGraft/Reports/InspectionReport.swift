internal import GuestTree
internal import Patcher
public import Storage

/// What `inspect` tells of the systems on a set of disks. Encodes to JSON; docs/inspect.schema.json describes it.
public struct InspectionReport: Encodable, Sendable {
    /// The Linux systems, in the order of their root volumes.
    public var systems: [System]
    /// What was noticed besides.
    public var findings: [String]

    /// One Linux system.
    public struct System: Encodable, Sendable {
        /// Its name and version for people.
        public var title: String
        /// The volume of its root.
        public var root: String
        /// How the source presented its disks, and from what that was inferred.
        public var source: String
        /// Its mounts.
        public var mounts: [Mount]
        /// What a new machine's firmware starts, file by file: BIOS and UEFI, as far as each starts the disks.
        public var boot: [BootPathReport]
        /// The boot loaders' files.
        public var loaders: [Loader]
        /// The kernels that its loaders offer.
        public var entries: [Entry]
        /// Every device name in its files.
        public var references: [Reference]
        /// What else is known, a line each: firmware, kernels, guest tools, SELinux…
        public var facts: [String]
        /// Further remarks.
        public var notes: [String]
    }

    /// A volume in the tree.
    public struct Mount: Encodable, Sendable {
        /// Where.
        public var path: String
        /// Which.
        public var volume: String
    }

    /// A boot loader's file.
    public struct Loader: Encodable, Sendable {
        /// "grub2", "grub-legacy"…
        public var kind: String
        /// Its path.
        public var path: String
    }

    /// A kernel entry.
    public struct Entry: Encodable, Sendable {
        /// Its title.
        public var title: String
        /// The file that holds it.
        public var path: String
        /// The kernel.
        public var kernel: String?
        /// Whether it has an initramfs.
        public var hasInitrd: Bool
        /// Whether it boots by itself.
        public var isDefault: Bool

        private enum CodingKeys: String, CodingKey {
            case title, path, kernel
            case hasInitrd = "has-initrd"
            case isDefault = "default"
        }
    }

    /// A device name in a file.
    public struct Reference: Encodable, Sendable {
        /// The file.
        public var path: String
        /// Its line, from 1.
        public var line: Int
        /// The byte range of the name.
        public var start: Int
        /// The byte behind the name.
        public var end: Int
        /// The kind of file.
        public var syntax: String
        /// What the name is for.
        public var use: String
        /// The name.
        public var name: String
        /// What it stands for: a volume's or disk's name; nil where it cannot be told.
        public var resolved: String?
        /// Why it cannot be told, or what else it is.
        public var note: String?
        /// Whether the name holds wherever the disks go.
        public var stable: Bool

        init(_ reference: Patcher.Reference, _ wording: RemedyWording) {
            path = reference.path
            line = reference.line
            start = reference.range.lowerBound
            end = reference.range.upperBound
            syntax = reference.kind.rawValue
            use = reference.use.summary
            name = reference.text
            resolved = reference.resolvedName
            note =
                switch reference.resolution {
                case .unresolved(let reason): wording.text(reason.sentence)
                case .notADisk: "not a disk of the guest"
                default: nil
                }
            stable = reference.isStable
        }
    }
}

extension Guest {
    /// Inspects the disks. An empty list of systems is no error here. `wording` names remedies in what is said of names.
    public func inspect(
        _ source: SourceOptions = SourceOptions(), wording: RemedyWording = .plain
    ) throws(StorageError) -> InspectionReport {
        let survey = try survey(source)
        return InspectionReport(
            systems: survey.guests.map { system in
                InspectionReport.System(
                    title: system.title, root: volumes[system.rootVolume].name,
                    source: system.resolver.presentation.summary,
                    mounts: system.mounts.map { .init(path: $0.path, volume: volumes[$0.volume].name) },
                    boot: system.bootPaths().map { BootPathReport($0) },
                    loaders: system.files.filter { !$0.bootEntries.isEmpty }.map {
                        .init(kind: $0.kind.rawValue, path: $0.file.displayPath)
                    },
                    entries: system.bootEntries.map { item in
                        .init(
                            title: item.entry.title, path: item.file.file.displayPath,
                            kernel: item.entry.kernel, hasInitrd: !item.entry.initrds.isEmpty,
                            isDefault: system.isDefault(item))
                    },
                    references: system.references.map { InspectionReport.Reference($0, wording) },
                    facts: system.description, notes: system.notes)
            }, findings: survey.findings)
    }
}
