internal import GuestTree
public import Patcher
public import Storage

/// What has to be done to the Linux systems on a set of disks so that they boot on a target. Data: nothing has
/// been written.
public struct GuestPlan: Sendable {
    var plans: [Plan]
    let titles: [String]
    /// The name of each system's root volume.
    let roots: [String]
    /// How its sentences name remedies.
    let wording: RemedyWording
    /// What was noticed besides: other systems, volumes that cannot be read.
    public let findings: [String]
    /// Of every disk whose child lies beside it, a sentence.
    public internal(set) var childWarnings: [String] = []

    /// Whether there is nothing to do.
    public var isEmpty: Bool { plans.allSatisfy { $0.actions.isEmpty } }

    /// Why nothing may be written; nil when the plan can be carried out, for one of several systems at least.
    public var refusal: String? {
        let reasons = plans.indices.compactMap { reason(at: $0) }
        return reasons.count == plans.count ? reasons.first : nil
    }

    /// The systems that are left as they are although another one is repaired, and why: a sentence each.
    public var leftOut: [String] {
        guard refusal == nil else { return [] }
        return plans.indices.compactMap { index in
            reason(at: index).map { "\(titles[index]) on \(roots[index]) is left as it is: \($0)" }
        }
    }

    /// Whether the system, one of them where there are several, boots on the target as far as names and loaders go. False
    /// too where no boot menu was found, so that nobody knows.
    public var boots: Bool {
        plans.contains { plan in
            switch plan.outcome {
            case .boots, .bootsWithEdits: true
            case .cannot, .notKnown: false
            }
        }
    }

    private func reason(at index: Int) -> String? {
        plans[index].refusal.map {
            let sentence = wording.text($0.sentence)
            return plans.count > 1 ? "\(roots[index]): \(sentence)" : sentence
        }
    }

    /// What is to be written, in order. What several systems share (their /boot, the swap area) is written once.
    var actions: [Action] {
        var merged: [Action] = []
        for action in plans.flatMap(\.actions) where !merged.contains(where: { $0.kind == action.kind }) {
            if let edit = action.edit,
                let index = merged.firstIndex(where: { $0.edit?.file.key == edit.file.key }),
                let first = merged[index].edit
            {
                merged[index].kind = .edit(first.adding(edit))
            } else {
                merged.append(action)
            }
        }
        return merged
    }

    /// The plan for people: the summary and the diff behind it.
    public var text: [UInt8] { summary + unifiedDiff }

    /// What changes in files, as a unified diff. Bytes, because it shows the guest's own.
    public var unifiedDiff: [UInt8] { plans.flatMap { PlanText.diff(of: $0) } }

    /// Whether each system boots and what, which machine it needs, what changes and why, what could not be resolved,
    /// advice, and a verdict for each kernel entry.
    public var summary: [UInt8] {
        var text: [UInt8] = []
        for (index, plan) in plans.enumerated() {
            // One system needs no further name.
            let title = plans.count > 1 ? "\(titles[index]) on \(roots[index])" : titles[index]
            text += PlanText.summary(of: plan, guestTitle: title, naming: wording.name)
        }
        for finding in findings + childWarnings { text += Array("note: \(finding)\n".utf8) }
        return text
    }

    /// The same for where what it says of children is said otherwise.
    package var withoutChildWarnings: GuestPlan {
        var plan = self
        plan.childWarnings = []
        return plan
    }

    /// The same as text.
    public var diff: String { String(decoding: text, as: UTF8.self) }
}

extension Guest {
    /// Makes the plan for a target, and carries it out in memory to see that it keeps what it says. Throws `refused` when there
    /// is no Linux system on the disks.
    public func plan(_ options: PlanOptions) throws(StorageError) -> GuestPlan {
        var plan = try planned(options)
        plan.childWarnings = childWarnings
        // Whatever volume does not take its changes is found one plan at a time.
        for _ in plan.plans {
            guard !plan.isEmpty, plan.refusal == nil else { return plan }
            let overlays = devices.map { OverlayDevice($0) }
            do throws(StorageError) {
                try PlanExecution(try seen(through: overlays)).run(plan)
            } catch {
                plan = try refusing(plan, error)
                continue
            }
            return try heeding(plan, overlays, options)
        }
        return plan
    }

    /// Makes the plan for the guest as it is, without a look at what lies beside its images.
    func planned(_ options: PlanOptions) throws(StorageError) -> GuestPlan {
        var request = try options.request()
        request.sourceFirmware = machine?.machine.firmware.map { $0 == .uefi ? .uefi : .bios }
        let survey = try survey(options.source)
        guard !survey.guests.isEmpty else {
            guard let verdict = survey.windowsVerdict(request.target, request.controller) else {
                throw try noGuest()
            }
            throw StorageError(
                .refused, GuestCode.windows, verdict, path: images.first?.path)
        }
        var plans: [Plan] = []
        for guest in survey.guests {
            var own = request
            own.addresses += [machine?.address(in: guest, options)].compactMap(\.self)
            plans.append(try Planner.plan(guest, own))
        }
        let plan = GuestPlan(
            plans: plans, titles: survey.guests.map(\.title),
            roots: survey.guests.map { volumes[$0.rootVolume].name }, wording: options.wording,
            findings: survey.findings + survey.guests.flatMap(\.notes)
                + machineFindings(plans.first?.machine))
        return try rehearsed(plan)
    }

    /// What the description of the machine says, and where the disks say otherwise.
    private func machineFindings(_ needs: MachineNeeds?) -> [String] {
        guard let machine else { return [] }
        return [machine.summary] + [needs.flatMap { machine.contradiction($0) }].compactMap(\.self)
    }

    /// Makes the plan for a target, with nothing else said.
    public func plan(to target: Target) throws(StorageError) -> GuestPlan {
        try plan(PlanOptions(target: target))
    }
}
