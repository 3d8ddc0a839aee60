internal import Patcher

extension PlanReport {
    /// Whether a system will boot.
    public struct Outcome: Encodable, Sendable {
        /// "boots", "boots-with-edits", "cannot" or "not-known".
        public var outcome: String
        /// The titles of the entries that boot by themselves; none where that is not known.
        public var entries: [String]
        /// Why it is not known; nil otherwise.
        public var why: String?
        /// The same as a word that stays.
        public var whyCode: String?

        private enum CodingKeys: String, CodingKey {
            case outcome, entries, why
            case whyCode = "why-code"
        }
    }

    /// What the new machine must be like.
    public struct Machine: Encodable, Sendable {
        /// "bios", "uefi", "either", "pygrub" or "unknown".
        public var firmware: String
        /// What the disks can be started by: "bios", "uefi".
        public var startedBy: [String]
        /// The first sectors were looked at, so that a missing "bios" means that there is none.
        public var isBootCodeKnown: Bool
        /// The controller that the boot disk must be behind.
        public var controller: String
        /// The disk that must be the first boot device, from 1; nil where that cannot be told.
        public var bootDisk: Int?
        /// How many disks were given; the plan counts on their order.
        public var diskCount: Int

        private enum CodingKeys: String, CodingKey {
            case firmware, controller
            case startedBy = "started-by"
            case isBootCodeKnown = "boot-code-known"
            case bootDisk = "boot-disk"
            case diskCount = "disks"
        }
    }
}

extension PlanReport.Outcome {
    init(_ plan: Plan) {
        outcome =
            switch plan.outcome {
            case .boots: "boots"
            case .bootsWithEdits: "boots-with-edits"
            case .cannot: "cannot"
            case .notKnown: "not-known"
            }
        entries = plan.refusal == nil ? plan.bootingDefaults.map(\.title) : []
        let unknown = plan.outcome == .notKnown ? plan.unknown : nil
        why = unknown?.sentence.plain
        whyCode = unknown?.code.rawValue
    }
}

extension PlanReport.Machine {
    init(_ needs: MachineNeeds) {
        firmware = needs.firmware.rawValue
        startedBy = (needs.source.biosDisk == nil ? [] : ["bios"]) + (needs.source.hasUEFI ? ["uefi"] : [])
        isBootCodeKnown = needs.source.isBIOSKnown
        controller = needs.controller.rawValue
        bootDisk = needs.bootDisk.map { $0 + 1 }
        diskCount = needs.diskCount
    }
}
