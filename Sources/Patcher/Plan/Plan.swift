/// What to do to a guest so that it boots on a target: data, made by a `Planner`, carried out by others.
package struct Plan: Sendable {
    /// The target.
    package var target: Target
    /// The controller that the boot disk is expected behind.
    package var controller: Controller
    /// How the default entry gets the drivers of that controller.
    package var way: DriverFacts.Way
    /// What the default entry is behind each controller of the target.
    package var controllers: [ControllerVerdict]
    /// What the new machine must be like.
    package var machine: MachineNeeds
    /// The target's network cards, its first first, and whether the default entry's kernel drives them.
    package var cards: [CardState]
    /// What the new machine's firmware starts once the plan is carried out.
    package var boot: [BootPath]
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
    /// Why nobody knows whether it boots; nil where that is known, as far as names and loaders go.
    package var unknown: UnknownBoot?
    /// Set when the guest cannot boot on the target, or must not be touched: nothing is to be written.
    package var refusal: VerdictReason?

    /// References that could not be resolved.
    package var unresolved: [Reference] {
        references.filter { $0.unresolved != nil }
    }
    /// The verdict of the entry that boots by itself.
    package var defaultVerdict: EntryVerdict? { verdicts.first { $0.isDefault } }

    /// Whether the guest boots on the target.
    package enum Outcome: Sendable, Equatable {
        /// As it is.
        case boots
        /// With the plan's edits.
        case bootsWithEdits
        /// Not; nothing is written.
        case cannot(VerdictReason)
        /// Nobody knows: the menu was not found, or starts something else than a kernel of the guest.
        case notKnown
    }

    /// Whether the guest boots on the target, as far as names and loaders go.
    package var outcome: Outcome {
        if let refusal { return .cannot(refusal) }
        if unknown != nil { return .notKnown }
        return actions.isEmpty ? .boots : .bootsWithEdits
    }

    /// Every entry that boots by itself and can is known to find its disks.
    package var areDriversKnown: Bool {
        !bootingDefaults.isEmpty && bootingDefaults.allSatisfy(\.drivers.isKnown)
    }

    /// The entries that boot by themselves and can.
    package var bootingDefaults: [EntryVerdict] {
        verdicts.filter { verdict in
            if case .cannot = verdict.outcome { return false }
            return verdict.isDefault
        }
    }
}

/// Something to know or do by hand.
package struct Advice: Sendable, Hashable {
    /// What it is about.
    package var repair: Repair
    /// Canonical path of the file it concerns.
    package var path: String?
    /// The sentence.
    package var message: Sentence
    /// The next installation of a kernel or loader, not the next boot, is at stake.
    package var isMinor = false
}
