import ArgumentParser
import DiskGraft

/// `diskgraft plan IMAGE --to TARGET`: what would be changed, and why. Writes nothing.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what a guest needs to boot on another hypervisor; write nothing.",
        discussion: """
            Prints a unified diff with reasons, what could not be resolved, and a verdict for each kernel entry. \
            Exits 2 when the guest cannot boot there.

            Example:
              diskgraft plan web01.vmdk --to kvm
              diskgraft plan disk1.vhd --with disk2.vhd --to xenserver --map /dev/hdc=2
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var path: String

    @OptionGroup var image: ImageArguments
    @OptionGroup var disks: FurtherDisks
    @OptionGroup var plan: PlanArguments

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let guest = try Guest.open([path] + disks.with, options: image.options)
        for warning in guest.warnings { Terminal.printWarning(warning) }
        let plan = try guest.plan(try plan.options())
        for system in plan.leftOut { Terminal.printWarning(system) }
        if json { try JSONOutput.print(plan.report) } else { Terminal.print(plan.text) }
        if plan.refusal != nil || !plan.boots { throw ExitCode(ExitStatus.refused.rawValue) }
    }
}
