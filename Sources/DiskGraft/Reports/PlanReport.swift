internal import GuestTree
internal import Patcher
internal import Storage

/// A plan as data for scripts. Encodes to JSON; docs/plan.schema.json describes it.
public struct PlanReport: Encodable, Sendable {
    /// One plan for each Linux system on the disks.
    public var systems: [System]
    /// What was noticed besides.
    public var findings: [String]

    /// The plan of one system.
    public struct System: Encodable, Sendable {
        /// Its name.
        public var title: String
        /// The volume of its root.
        public var root: String
        /// The target's name.
        public var target: String
        /// The controller that the boot disk is expected behind.
        public var controller: String
        /// Whether it will boot.
        public var boots: Outcome
        /// What the new machine must be like.
        public var machine: Machine
        /// How the source presented its disks.
        public var source: String
        /// What is to be written.
        public var actions: [Action]
        /// Every device name that depends on the controller and what it would be behind the target's.
        public var names: [Name]
        /// Names that could not be resolved.
        public var unresolved: [InspectionReport.Reference]
        /// What to know or do by hand.
        public var advice: [Advice]
        /// Whether each kernel will boot.
        public var verdicts: [Verdict]
        /// Why nothing is written, where nothing is.
        public var refusal: String?
        /// The word of that reason.
        public var refusalCode: String?

        private enum CodingKeys: String, CodingKey {
            case title, root, target, controller, boots, machine, source, actions, names, unresolved, advice
            case verdicts, refusal
            case refusalCode = "refusal-code"
        }
    }

    /// A device name that depends on the controller.
    public struct Name: Encodable, Sendable {
        /// The file.
        public var path: String
        /// Its line, from 1.
        public var line: Int
        /// What the name is for.
        public var use: String
        /// The name.
        public var name: String
        /// The volume or disk that it stands for; nil where that cannot be told.
        public var resolved: String?
        /// What the target's controller calls that volume; nil where that cannot be told.
        public var onTarget: String?
        /// The name would not be there on the target, or stand for something else.
        public var isWrong: Bool

        private enum CodingKeys: String, CodingKey {
            case path, line, use, name, resolved
            case onTarget = "on-target"
            case isWrong = "wrong"
        }
    }

    /// One change.
    public struct Action: Encodable, Sendable {
        /// "edit", "create", "rename", "remove", "label" or "bytes".
        public var kind: String
        /// The file, where it is about one.
        public var path: String?
        /// The bytes of a path that is not UTF-8, in hexadecimal.
        public var pathHex: String?
        /// Why.
        public var reason: String
        /// The repairs it belongs to.
        public var repairs: [String]
        /// The tokens that change, for an edit.
        public var edits: [Edit]
        /// The text of a file that is made.
        public var contents: String?

        private enum CodingKeys: String, CodingKey {
            case kind, path, reason, repairs, edits, contents
            case pathHex = "path_hex"
        }
    }

    /// One token that changes.
    public struct Edit: Encodable, Sendable {
        /// First byte in the file as it is.
        public var start: Int
        /// The byte behind the last.
        public var end: Int
        /// What stands there.
        public var old: String
        /// What will stand there.
        public var new: String
        /// Which repair.
        public var repair: String
        /// Why.
        public var reason: String
    }

    /// Something to know or do by hand.
    public struct Advice: Encodable, Sendable {
        /// What it is about.
        public var repair: String
        /// The file it concerns.
        public var path: String?
        /// The sentence.
        public var message: String
    }

    /// Whether one kernel entry boots.
    public struct Verdict: Encodable, Sendable {
        /// The loader's file.
        public var path: String
        /// The entry.
        public var title: String
        /// The kernel.
        public var kernel: String?
        /// Boots by itself once the plan is carried out.
        public var isDefault: Bool
        /// "boots", "boots-with-edits" or "cannot".
        public var outcome: String
        /// Why not.
        public var reason: String?
        /// The word of that reason.
        public var reasonCode: String?
        /// "not-checked", "present" or "missing".
        public var drivers: String
        /// The missing drivers.
        public var missingDrivers: [String]
        /// What the guest would otherwise die with.
        public var symptom: String?
        /// Remarks.
        public var notes: [String]

        private enum CodingKeys: String, CodingKey {
            case path, title, kernel, outcome, reason, drivers, symptom, notes
            case isDefault = "default"
            case missingDrivers = "missing-drivers"
            case reasonCode = "reason-code"
        }
    }
}

extension GuestPlan {
    /// The plan as data.
    public var report: PlanReport {
        PlanReport(
            systems: plans.indices.map { index in
                let plan = plans[index]
                return PlanReport.System(
                    title: titles[index], root: roots[index], target: plan.target.name,
                    controller: plan.controller.rawValue, boots: PlanReport.Outcome(plan),
                    machine: PlanReport.Machine(plan.machine),
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
            }, findings: findings)
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
            contents = String(decoding: bytes, as: UTF8.self)
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

extension PlanReport.Verdict {
    init(_ verdict: EntryVerdict, _ wording: RemedyWording) {
        path = verdict.path
        title = verdict.title
        kernel = verdict.kernel
        isDefault = verdict.isDefault
        switch verdict.outcome {
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
        case .missing(let names):
            drivers = "missing"
            missingDrivers = names
        }
        symptom = verdict.symptom
        notes = verdict.notes.map { wording.text($0.sentence) }
    }
}
