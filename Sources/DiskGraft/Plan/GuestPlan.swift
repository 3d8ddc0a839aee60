internal import Patcher
public import Storage

/// What has to be done to the Linux systems on a set of disks so that they boot on a target. Data: nothing has
/// been written.
public struct GuestPlan: Sendable {
    let plans: [Plan]
    let titles: [String]
    let source: SourceOptions
    /// What was noticed besides: other systems, volumes that cannot be read.
    public let findings: [String]

    /// Whether there is nothing to do.
    public var isEmpty: Bool { plans.allSatisfy { $0.actions.isEmpty } }

    /// Why nothing may be written; nil when the plan can be carried out. Of several systems on the disks those that
    /// are refused are left alone, and do not keep the others from being repaired.
    public var refusal: String? {
        let refusals = plans.compactMap(\.refusal)
        return refusals.count == plans.count ? refusals.first : nil
    }

    /// Whether the default entry of the system, of one of them where there are several, boots on the target as far
    /// as names and loaders go.
    public var boots: Bool {
        plans.contains { plan in
            if case .cannot = plan.defaultVerdict?.outcome { return false }
            return plan.refusal == nil
        }
    }

    /// The plan for people: a unified diff with reasons, what could not be resolved, advice, and a verdict for each
    /// kernel entry. Bytes, because the diff shows the guest's own.
    public var text: [UInt8] {
        var text: [UInt8] = []
        for (plan, title) in zip(plans, titles) { text += PlanText.text(of: plan, guestTitle: title) }
        for finding in findings { text += Array("note: \(finding)\n".utf8) }
        return text
    }

    /// The same as text.
    public var diff: String { String(decoding: text, as: UTF8.self) }
}

extension Guest {
    /// Makes the plan for a target. Throws `refused` when there is no Linux system on the disks.
    public func plan(_ options: PlanOptions) throws(StorageError) -> GuestPlan {
        let request = try options.request()
        let survey = try survey(options.source)
        guard !survey.guests.isEmpty else {
            guard let verdict = survey.windowsVerdict(request.target, request.controller) else {
                throw noGuest(survey)
            }
            throw StorageError(
                .refused, layer: "guest", code: "windows", verdict, path: images.first?.path)
        }
        return GuestPlan(
            plans: survey.guests.map { Planner.plan($0, request) }, titles: survey.guests.map(\.title),
            source: options.source, findings: survey.findings + survey.guests.flatMap(\.notes))
    }

    /// Makes the plan for a target by its name.
    public func plan(to target: String) throws(StorageError) -> GuestPlan {
        try plan(PlanOptions(target: target))
    }
}
