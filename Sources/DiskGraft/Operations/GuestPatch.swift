internal import Patcher
public import Storage

extension Guest {
    /// Carries a plan out in place. The guest must have been opened for writing.
    ///
    /// Everything is prepared and recorded first, over all volumes; then the undo records are made durable, and
    /// only then does the first byte of an image change. Afterwards the guest is inspected again: a plan that
    /// still wants something is an error. Throws `refused` when the plan says that nothing must be written, and where a
    /// child of a disk lies beside it, unless `despiteChildren`: a change of the parent breaks the child.
    public func patch(
        _ plan: GuestPlan, _ options: PlanOptions, despiteChildren: Bool = false
    ) throws(StorageError) {
        if let refusal = plan.refusal {
            throw StorageError(
                .refused, PlanCode.cannotBoot, "nothing is written: \(refusal)",
                path: images.first?.path)
        }
        if plan.isEmpty { return }
        if !despiteChildren, let warning = childWarnings.first {
            throw StorageError(
                .refused, PlanCode.baseOfAnother, "nothing is written: \(warning)", path: images.first?.path,
                remedies: [.changeParent])
        }
        try recorded { () throws(StorageError) in
            try PlanExecution(self).run(plan)
        }
        try verify(options)
    }

    private func verify(_ options: PlanOptions) throws(StorageError) {
        let plan: GuestPlan
        do throws(StorageError) {
            plan = try seen(through: devices).planned(options)
        } catch {
            guard error.isCancellation else { throw error }
            var stopped = error
            stopped.message = "was interrupted after the change, before it was looked at again"
            stopped.remedies = [.undo]
            throw stopped
        }
        if let refusal = plan.refusal {
            throw StorageError(
                .io, PlanCode.notIdempotent, "the guest was changed and now \(refusal)",
                path: images.first?.path, remedies: [.undo])
        }
        guard plan.isEmpty else {
            throw StorageError(
                .io, PlanCode.notIdempotent,
                "the guest was changed and still needs changes", path: images.first?.path, remedies: [.undo])
        }
    }
}
