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
        /// How the default entry gets the drivers of that controller: "as-is", "other-controller", "kernel-argument",
        /// "fallback", "overlay" or "none".
        public var driverWay: String
        /// What the default entry is behind each controller of the target.
        public var controllers: [Controller]
        /// Whether it will boot.
        public var boots: Outcome
        /// What the new machine must be like.
        public var machine: Machine
        /// What the new machine's firmware starts, file by file, once the plan is carried out.
        public var boot: [BootPathReport]
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
            case title, root, target, controller, controllers, boots, machine, boot, source, actions, names,
                unresolved, advice
            case verdicts, refusal
            case refusalCode = "refusal-code"
            case driverWay = "driver-way"
        }
    }

    /// One controller of the target.
    public struct Controller: Encodable, Sendable {
        /// Its name.
        public var controller: String
        /// The plan counts on it.
        public var isChosen: Bool
        /// "present", "needs-argument", "missing", "no-such-driver", "unreadable" or "not-checked".
        public var drivers: String
        /// The modules that the initramfs lacks, in the order of loading.
        public var missing: [String]
        /// What the kernel has no driver for.
        public var noDriverFor: String?
        /// The argument that the kernel needs besides.
        public var argument: String?

        private enum CodingKeys: String, CodingKey {
            case controller, drivers, missing, argument
            case isChosen = "chosen"
            case noDriverFor = "no-driver-for"
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
        /// "edit", "create", "copy", "rename", "remove", "label" or "bytes".
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
        /// The text of a file that is made; nil for one that is no text.
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
        /// "present", "added", "missing", "needs-argument", "no-such-driver", "unreadable" or "not-checked".
        public var drivers: String
        /// The drivers that the initramfs lacks, added or not.
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
