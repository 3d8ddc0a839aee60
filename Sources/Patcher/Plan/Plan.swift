internal import Storage

/// What to do to a guest so that it boots on a target: data, made by a `Planner`, carried out by others.
package struct Plan: Sendable {
    /// The target.
    package var target: Target
    /// The controller that the boot disk is expected behind.
    package var controller: Controller
    /// How the source presented its disks.
    package var source: SourcePresentation
    /// What to write, in order. Empty when there is nothing to do or `refusal` says why nothing is done.
    package var actions: [Action]
    /// Every device name found.
    package var references: [Reference]
    /// What a user should know or do by hand.
    package var advice: [Advice]
    /// Whether each kernel will boot.
    package var verdicts: [EntryVerdict]
    /// Set when the guest cannot boot on the target, or must not be touched: nothing is to be written.
    package var refusal: String?

    /// References that could not be resolved.
    package var unresolved: [Reference] {
        references.filter { if case .unresolved = $0.resolution { true } else { false } }
    }
    /// The verdict of the entry that boots by itself.
    package var defaultVerdict: EntryVerdict? { verdicts.first { $0.isDefault } }
}

/// One change, with what it expects to find.
package struct Action: Sendable, Equatable {
    /// What is done.
    package enum Kind: Sendable, Equatable {
        /// A file's bytes become others; inode, mode, owner and attributes stay.
        case edit(FileEdit)
        /// A file comes to be; refused when the name is taken.
        case create(path: [UInt8], contents: [UInt8], permissions: UInt16)
        /// A name moves within its directory.
        case rename(path: [UInt8], newName: [UInt8])
        /// A name goes.
        case remove(path: [UInt8])
        /// A volume's label, where it has none.
        case setLabel(volume: Int, label: [UInt8])
        /// Bytes outside any file.
        case deviceBytes(volume: Int, offset: UInt64, expected: [UInt8], contents: [UInt8])
    }

    /// What is done.
    package var kind: Kind
    /// Why, in a sentence.
    package var reason: String
    /// Which repairs it belongs to.
    package var repairs: [Repair]
    /// For `create`, `rename` and `remove`: the directory that holds the name, which may be another system's than
    /// the first one on the disks.
    package var directory: FileKey?

    /// The edit, when it is one.
    package var edit: FileEdit? { if case .edit(let edit) = kind { edit } else { nil } }
}

/// The change of a file's contents.
package struct FileEdit: Sendable, Equatable {
    /// The file; its path is canonical.
    package var file: GuestFile
    /// The bytes that must be found, all of them.
    package var expected: [UInt8]
    /// The bytes to write, all of them.
    package var contents: [UInt8]
    /// The tokens that change, in order of their places in `expected`, each with its reason.
    package var edits: [TokenEdit]

    /// This edit with those of another system that shares the file; where both change the same bytes, this one's hold.
    package func adding(_ other: FileEdit) -> FileEdit {
        // A block of fixed size keeps to one system's edits.
        if file.displayPath.hasSuffix("grubenv") { return self }
        var draft = FileDraft(file: file, original: expected)
        for edit in edits + other.edits {
            draft.replace(edit.range, with: edit.new, edit.repair, edit.reason)
        }
        return FileEdit(file: file, expected: expected, contents: draft.result, edits: draft.edits)
    }
}

/// A device name found in a file.
package struct Reference: Sendable, Equatable {
    /// Canonical path of the file.
    package var path: String
    /// The file.
    package var file: FileKey
    /// The bytes of the name.
    package var range: Range<Int>
    /// Line number, from 1.
    package var line: Int
    /// The kind of file.
    package var kind: ConfigurationKind
    /// What the name is for.
    package var use: String
    /// The name.
    package var text: String
    /// What it stands for.
    package var resolution: Resolution
    /// The name of that volume or disk for people: "p2", "disk 2".
    package var resolvedName: String?
    /// The name holds wherever the disks go.
    package var isStable: Bool
    /// What the target's controller calls that volume or disk.
    package var nameOnTarget: String?
}

/// Something to know or do by hand.
package struct Advice: Sendable, Equatable {
    /// What it is about.
    package var repair: Repair
    /// Canonical path of the file it concerns.
    package var path: String?
    /// The sentence.
    package var message: String
    /// The next installation of a kernel or loader, not the next boot, is at stake.
    package var isMinor = false
}

/// Whether one kernel entry boots on the target.
package struct EntryVerdict: Sendable, Equatable {
    /// The outcome.
    package enum Outcome: Sendable, Equatable {
        /// As it is.
        case boots
        /// With the plan's edits.
        case bootsWithEdits
        /// Not, for this reason.
        case cannot(String)
    }
    /// What is known of the drivers in the kernel and its initramfs.
    package enum Drivers: Sendable, Equatable {
        /// Nobody has looked into the initramfs.
        case notChecked
        /// All there.
        case present
        /// These are missing.
        case missing([String])
    }

    /// Canonical path of the loader's file.
    package var path: String
    /// The entry's title.
    package var title: String
    /// The kernel's path.
    package var kernel: String?
    /// It boots by itself once the plan is carried out.
    package var isDefault: Bool
    /// The outcome as far as names and loader go.
    package var outcome: Outcome
    /// The drivers.
    package var drivers: Drivers
    /// What the guest would die with.
    package var symptom: String?
    /// Further remarks.
    package var notes: [String]

    /// In words: "boots with these edits (drivers not checked)".
    package var summary: String {
        let base: String
        switch outcome {
        case .cannot(let reason): return "cannot: \(reason)"
        case .boots: base = "boots"
        case .bootsWithEdits: base = "boots with these edits"
        }
        switch drivers {
        case .notChecked: return "\(base) (drivers not checked)"
        case .present: return base
        case .missing(let names): return "cannot: its initramfs lacks \(names.joined(separator: ", "))"
        }
    }
}

/// What a plan is asked for.
package struct PlanRequest: Sendable {
    /// The target.
    package var target: Target
    /// The controller; nil for the target's default.
    package var controller: Controller?
    /// How names are replaced.
    package var names: NamingPolicy
    /// The repairs to make; nil for all of them that need no asking.
    package var only: Set<Repair>?
    /// Repairs not to make.
    package var skip: Set<Repair>
    /// Repairs that are advice unless asked for.
    package var fix: Set<Repair>
    /// The entry with the distribution's rescue or fallback initramfs is to become the default
    /// (`--drivers fallback`).
    package var usesFallbackInitramfs = false

    /// Asks for a plan.
    package init(
        target: Target, controller: Controller? = nil, names: NamingPolicy = .uuid, only: Set<Repair>? = nil,
        skip: Set<Repair> = [], fix: Set<Repair> = []
    ) {
        self.target = target
        self.controller = controller
        self.names = names
        self.only = only
        self.skip = skip
        self.fix = fix
    }

    /// Repairs that only advise unless `fix` names them.
    package static let optional: Set<Repair> = [.net, .xorg, .clock, .debconf, .tools]

    /// Whether a repair is to be made.
    package func wants(_ repair: Repair) -> Bool {
        if skip.contains(repair) { return false }
        if Self.optional.contains(repair), !fix.contains(repair) { return false }
        return only?.contains(repair) ?? true
    }
}
