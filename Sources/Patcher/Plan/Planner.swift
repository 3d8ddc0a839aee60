internal import GuestTree
package import Storage

/// Makes the plan for one guest. The patcher makes a Linux guest boot on another hypervisor: it reads the guest, resolves
/// every device name in its configuration, and lays out a plan; it writes nothing. A caller goes through four steps:
///
/// 1. `GuestFinder.survey(volumes:fileSystems:diskCount:presentation:)` finds the guests among the volumes of the given
///    disks. Each `LinuxSystem` comes with its tree, its release, mounts, boot entries, and its device names, resolved
///    (`guest.references`). `Survey.findings` tells what was seen besides.
/// 2. `Planner.plan(guest, PlanRequest(target:…))` gives a `Plan`: `actions`, `references`, `advice`, a verdict per kernel
///    entry, and `refusal` when nothing must be written. All of it is plain data: it can be shown by
///    `PlanText.text(of:guestTitle:naming:)`, or sent elsewhere.
/// 3. The caller prepares the actions on the volumes' file systems, by the keys that they carry: for an `edit`, the file
///    `file.id` of volume `file.volume` must hold exactly `expected` and gets `contents`.
/// 4. To verify, survey and plan again over the patched volumes: the second plan has no actions.
///
/// What is found in files is one type a syntax (`ConfigurationSyntaxes`), what is done about it one type a step
/// (`PlanSteps`), what decides whether it boots one type a rule (`VerdictRules`); targets are a table (`Target.all`).
package enum Planner {
    /// Lets every step contribute, then every rule judge.
    /// Throws what says nothing of the guest: input and output, a request to stop.
    package static func plan(_ guest: LinuxSystem, _ request: PlanRequest) throws(StorageError) -> Plan {
        let draft = try draft(guest, request, try DriverReading.facts(of: guest, for: request))
        let verdicts = try verdicts(draft)
        let refusal = try refusal(draft, verdicts)
        return Plan(
            target: request.target, controller: draft.controller, way: draft.drivers.way,
            controllers: draft.controllerTable, machine: draft.machineNeeds, cards: draft.drivers.cards,
            boot: draft.bootPaths,
            source: guest.resolver.presentation,
            actions: refusal == nil ? draft.actions() : [], references: draft.references(),
            advice: draft.advice, verdicts: verdicts, unknown: draft.unknownBoot(verdicts), refusal: refusal)
    }

    /// What all steps want to do.
    static func draft(
        _ guest: LinuxSystem, _ request: PlanRequest, _ drivers: DriverFacts
    ) throws(StorageError) -> PlanDraft {
        var draft = PlanDraft(guest, request, drivers)
        let syntaxes = Set(guest.files.map { ObjectIdentifier(type(of: $0.syntax)) })
        for step in PlanSteps.ordered
        where step.reads.isEmpty || step.reads.contains(where: { syntaxes.contains(ObjectIdentifier($0)) }) {
            try Cancellation.check()
            step.contribute(to: &draft)
        }
        draft.settle()
        draft.withholdWhatCannotBeWritten()
        return draft
    }

    /// Judges every entry, as it will be once the draft's changes are made.
    private static func verdicts(_ draft: PlanDraft) throws(StorageError) -> [EntryVerdict] {
        let guest = draft.guest
        let defaults = Set(guest.defaultEntries.map { draft.movedDefaults[$0.key.file] ?? $0.key })
        let isEdited = draft.isEdited
        let ofAll = VerdictRules.ofEntries.map { $0.ofGuest?.judge(draft) }
        var verdicts: [EntryVerdict] = []
        for item in guest.bootEntries where item.entry.kernel != nil {
            try Cancellation.check()
            verdicts.append(
                EntryVerdict(
                    entry: item.key, path: item.file.file.displayPath, title: item.entry.title,
                    kernel: item.entry.kernel, isDefault: defaults.contains(item.key), isEdited: isEdited,
                    findings: zip(VerdictRules.ofEntries, ofAll).flatMap { $1 ?? $0.judge(item, in: draft) },
                    drivers: draft.drivers(of: item)))
        }
        return verdicts
    }

    /// Why nothing is to be written; nil: nothing speaks against it.
    private static func refusal(
        _ draft: PlanDraft, _ verdicts: [EntryVerdict]
    ) throws(StorageError) -> VerdictReason? {
        for rule in VerdictRules.ofGuests {
            try Cancellation.check()
            if let reason = try rule.refusal(of: draft, verdicts) { return reason }
        }
        return nil
    }
}
