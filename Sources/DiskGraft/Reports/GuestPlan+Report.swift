internal import GuestTree
internal import Patcher
internal import Storage

extension GuestPlan {
    /// The plan as data.
    public var report: PlanReport {
        PlanReport(
            systems: plans.indices.map { index in
                let plan = plans[index]
                return PlanReport.System(
                    title: titles[index], root: roots[index], target: plan.target.name,
                    controller: plan.controller.rawValue, driverWay: plan.way.word,
                    controllers: plan.controllers.map {
                        PlanReport.Controller($0, isChosen: $0.controller == plan.controller)
                    },
                    boots: PlanReport.Outcome(plan),
                    machine: PlanReport.Machine(plan.machine),
                    boot: plan.boot.map { BootPathReport($0) },
                    source: plan.source.summary, actions: plan.actions.map { PlanReport.Action($0) },
                    names: plan.references.filter { !$0.isStable }.compactMap { PlanReport.Name($0) },
                    unresolved: plan.unresolved.map { InspectionReport.Reference($0, wording) },
                    advice: plan.advice.map {
                        PlanReport.Advice(
                            repair: $0.repair.rawValue, path: $0.path, message: wording.text($0.message))
                    },
                    verdicts: plan.verdicts.map { PlanReport.Verdict($0, wording) },
                    refusal: plan.refusal.map { wording.text($0.sentence) },
                    refusalCode: plan.refusal?.code.rawValue)
            }, findings: findings + childWarnings)
    }
}

extension PlanReport.Name {
    /// Nil for what is no disk of the guest's: an optical drive.
    init?(_ reference: Patcher.Reference) {
        if case .notADisk = reference.resolution { return nil }
        path = reference.path
        line = reference.line
        use = reference.use.summary
        name = reference.text
        resolved = reference.resolvedName
        onTarget = reference.nameOnTarget
        isWrong = reference.nameOnTarget != reference.text
    }
}

extension PlanReport.Action {
    init(_ action: Patcher.Action) {
        reason = action.reason
        repairs = action.repairs.map(\.rawValue)
        edits = []
        switch action.kind {
        case .edit(let edit):
            kind = "edit"
            name(edit.file.path.bytes)
            edits = edit.edits.map {
                PlanReport.Edit(
                    start: $0.range.lowerBound, end: $0.range.upperBound, old: $0.old.displayText,
                    new: $0.new.displayText, repair: $0.repair.rawValue, reason: $0.reason)
            }
        case .create(let place, let bytes, _):
            kind = "create"
            name(place.path.bytes)
            // What is no text is named alone.
            contents = bytes.contains(0) ? nil : String(decoding: bytes, as: UTF8.self)
        case .copy(_, let place):
            kind = "copy"
            name(place.path.bytes)
        case .replace(let file, _):
            kind = "replace"
            name(file.path.bytes)
        case .rename(let place, _):
            kind = "rename"
            name(place.path.bytes)
        case .remove(let place):
            kind = "remove"
            name(place.path.bytes)
        case .setLabel: kind = "label"
        case .deviceBytes: kind = "bytes"
        }
    }

    private mutating func name(_ bytes: [UInt8]) {
        path = bytes.displayText
        pathHex = String(validating: bytes, as: UTF8.self) == nil ? bytes.hexString : nil
    }
}

extension PlanReport.Controller {
    init(_ verdict: ControllerVerdict, isChosen: Bool) {
        controller = verdict.controller.rawValue
        self.isChosen = isChosen
        drivers = verdict.word
        missing = []
        if case .missing(let names) = verdict.state { missing = names }
        if case .unusable(let names, _) = verdict.state { missing = names }
        if case .noSuchDriver(let what) = verdict.state { noDriverFor = what }
        argument = verdict.argument
    }
}

extension PlanReport.Verdict {
    init(_ verdict: EntryVerdict, _ wording: RemedyWording) {
        path = verdict.path
        title = verdict.title
        kernel = verdict.kernel
        isDefault = verdict.isDefault
        switch verdict.outcome {
        case .boots where verdict.doubt != nil, .bootsWithEdits where verdict.doubt != nil:
            outcome = "not-known"
            reason = verdict.doubt.map { wording.text($0.sentence) }
            reasonCode = verdict.doubt?.code.rawValue
        case .boots: outcome = "boots"
        case .bootsWithEdits: outcome = "boots-with-edits"
        case .cannot(let why):
            outcome = "cannot"
            reason = wording.text(why.sentence)
            reasonCode = why.code.rawValue
        }
        missingDrivers = []
        switch verdict.drivers {
        case .notChecked: drivers = "not-checked"
        case .present: drivers = "present"
        case .added(let names):
            drivers = "added"
            missingDrivers = names
        case .needsArgument: drivers = "needs-argument"
        case .missing(let names, _):
            drivers = "missing"
            missingDrivers = names
        case .forbidden: drivers = "forbidden"
        case .noSuchDriver: drivers = "no-such-driver"
        case .unreadable: drivers = "unreadable"
        }
        symptom = verdict.symptom
        notes = verdict.notes.map { wording.text($0.sentence) }
    }
}
