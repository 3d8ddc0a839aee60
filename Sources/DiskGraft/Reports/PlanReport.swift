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
