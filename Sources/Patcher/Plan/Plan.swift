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
    package var refusal: VerdictReason?

    /// References that could not be resolved.
    package var unresolved: [Reference] {
        references.filter { $0.unresolved != nil }
    }
    /// The verdict of the entry that boots by itself.
    package var defaultVerdict: EntryVerdict? { verdicts.first { $0.isDefault } }
}

/// Something to know or do by hand.
package struct Advice: Sendable, Equatable {
    /// What it is about.
    package var repair: Repair
    /// Canonical path of the file it concerns.
    package var path: String?
    /// The sentence.
    package var message: Sentence
    /// The next installation of a kernel or loader, not the next boot, is at stake.
    package var isMinor = false
}
