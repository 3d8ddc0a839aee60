/// Whether one kernel entry boots on the target.
package struct EntryVerdict: Sendable, Equatable {
    /// The outcome.
    package enum Outcome: Sendable, Equatable {
        /// As it is.
        case boots
        /// With the plan's edits.
        case bootsWithEdits
        /// Not, for this reason.
        case cannot(VerdictReason)
    }
    /// What is known of the drivers in the kernel and its initramfs.
    package enum Drivers: Sendable, Equatable {
        /// Neither the initramfs nor the modules can be read.
        case notChecked
        /// All there: built in, or in the initramfs.
        case present
        /// These are missing in the initramfs, and added by the plan.
        case added([String])
        /// They are there, and the kernel needs an argument that it is not given.
        case needsArgument(String)
        /// These are missing, and not added for that reason.
        case missing([String], NotAdded)
        /// This one is there, and kept from being loaded by that.
        case forbidden(String, by: String)
        /// The kernel has none for this.
        case noSuchDriver(String, release: String?)
        /// The initramfs or the modules cannot be read, and why.
        case unreadable(String)

        /// The guest is known to find its disks.
        package var isKnown: Bool {
            switch self {
            case .present, .added: true
            default: false
            }
        }
    }

    /// Which entry it is.
    package var entry: EntryKey
    /// Canonical path of the loader's file.
    package var path: String
    /// The entry's title.
    package var title: String
    /// The kernel's path.
    package var kernel: String?
    /// It boots by itself once the plan is carried out.
    package var isDefault: Bool
    /// The plan changes something of the guest.
    package var isEdited: Bool
    /// Everything that was found to say, in the order of the rules.
    package var findings: [VerdictFinding]
    /// The drivers.
    package var drivers: Drivers

    private var stop: VerdictFinding? { findings.first { $0.reason.severity == .stops } }

    /// The outcome as far as names and loader go.
    package var outcome: Outcome {
        if let stop { return .cannot(stop.reason) }
        return isEdited ? .bootsWithEdits : .boots
    }
    /// What the guest would die with.
    package var symptom: String? { stop?.symptom }
    /// Further remarks.
    package var notes: [VerdictReason] { findings.map(\.reason).filter { $0.severity != .stops } }
    /// Why nobody knows whether it boots; nil where that is known.
    package var doubt: VerdictReason? { findings.map(\.reason).first { $0.severity == .doubts } }

    /// In words: "boots with these edits (drivers not checked)".
    package var summary: Sentence {
        let base: String
        switch outcome {
        case .cannot(let reason): return "cannot: \(reason.sentence)"
        case _ where doubt != nil: base = "not known"
        case .boots: base = "boots"
        case .bootsWithEdits: base = "boots with these edits"
        }
        return switch drivers {
        case .notChecked: "\(base) (drivers not checked)"
        case .present: "\(base) (drivers present)"
        case .added(let names):
            "\(base) (drivers missing: \(names.joined(separator: ", ")), added by the overlay)"
        case .unreadable(let why): "\(base) (drivers not known: unreadable: \(why))"
        // These stop it, and have a reason.
        case .needsArgument, .missing, .forbidden, .noSuchDriver: Sentence(base)
        }
    }
}

extension EntryVerdict {
    /// Another branch of the same entry, of which the same is to be said.
    func says(sameAs other: EntryVerdict) -> Bool {
        path == other.path && title == other.title && isDefault == other.isDefault
            && findings == other.findings && drivers == other.drivers
    }
}

/// One thing that a rule has to say of an entry.
package struct VerdictFinding: Sendable, Equatable {
    /// What it is.
    package var reason: VerdictReason
    /// What a user would see, where the reason stops the boot.
    package var symptom: String?

    /// A finding.
    package init(_ reason: VerdictReason, symptom: String? = nil) {
        self.reason = reason
        self.symptom = symptom
    }
}
