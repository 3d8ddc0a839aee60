extension PlanDraft {
    /// What the default entry is behind each controller of the target; the chosen one once the plan is carried out.
    var controllerTable: [ControllerVerdict] {
        drivers.table.map { verdict in
            var verdict = verdict
            if verdict.controller == controller, addsEmulationArgument { verdict.argument = nil }
            return verdict
        }
    }
}
