import ArgumentParser
import DiskGraft

/// `diskgraft patch IMAGE --to TARGET`: the plan, applied in place.
struct PatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "patch",
        abstract: "Make a guest boot on another hypervisor by changing its disk in place.",
        discussion: """
            Prints the plan and carries it out. IMAGE.undo keeps the bytes as they were; `diskgraft undo` puts \
            them back. Run twice, the second run finds nothing to do.

            Example:
              diskgraft patch web01.qcow2 --to kvm
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var path: String

    @OptionGroup var image: ImageArguments
    @OptionGroup var tracking: TrackingArguments
    @OptionGroup var disks: FurtherDisks
    @OptionGroup var plan: PlanArguments

    @OptionGroup var parts: PlanParts

    @Flag(help: "As --despite-children.")
    var force = false

    @Flag(help: "Print the plan as JSON.")
    var json = false

    func run() throws {
        let options = try plan.options()
        var opening = try tracking.options(image)
        let mayBreak = force || opening.changesParents
        // A plan is shown, and may have nothing to change.
        opening.changesParents = true
        opening.warnsOfChildren = false
        let guest = try Guest.open([path] + disks.with, options: opening, forWriting: true)
        for warning in guest.warnings { Terminal.printWarning(warning) }
        let plan = try guest.plan(options)
        for system in plan.leftOut { Terminal.printWarning(system) }
        // A change is refused because of them, or they are warned of; once is enough.
        let isChange = !plan.isEmpty && plan.refusal == nil
        if isChange, mayBreak { for warning in guest.childWarnings { Terminal.printWarning(warning) } }
        let shown = isChange ? plan.withoutChildWarnings : plan
        if json { try JSONOutput.print(plan.report) } else { Terminal.print(parts.text(of: shown)) }
        try guest.patch(plan, options, despiteChildren: mayBreak)
        if !json, !plan.isEmpty {
            let others = disks.with.map { " --with \(Terminal.name($0))" }.joined()
            Terminal.print("patched; `diskgraft undo \(Terminal.name(path))\(others)` takes it back\n")
        }
    }
}
