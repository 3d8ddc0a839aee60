extension Repair {
    /// Clock options.
    public static let clock = Repair("clock", needsAsking: true)
}

/// Kernel options that were chosen for the old hypervisor's clock.
enum ClockOptions: PlanStep {
    static let repair = Repair.clock
    static let after: [any PlanStep.Type] = [HypervisorOptions.self, EmulatedDisks.self]

    private static let words: Set<String> = [
        "clocksource=acpi_pm", "clock=pit", "notsc", "clocksource=xen", "clock=pmtmr",
    ]

    static func contribute(to draft: inout PlanDraft) {
        for place in draft.guest.commandLines {
            for argument in place.line.arguments {
                let text = place.file.bytes.text(argument.range)
                let reason = "\(text) was chosen for the old hypervisor's clock"
                if argument.name == "divider" {
                    draft.advise(.clock, place.file, Sentence(reason), isMinor: true)
                } else if words.contains(text) {
                    if draft.request.wants(.clock) {
                        draft.removeArgument(place, argument, .clock, reason)
                    } else {
                        draft.advise(
                            .clock, place.file, "\(reason) (\(remedy: .ask(.clock)) takes it out)",
                            isMinor: true)
                    }
                }
            }
        }
    }
}
