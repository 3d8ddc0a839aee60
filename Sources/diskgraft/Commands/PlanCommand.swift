import ArgumentParser
import DiskGraft

/// `diskgraft plan IMAGE --to TARGET`: what would be changed, and why. Writes nothing.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "plan",
        abstract: "Show what a guest needs to boot on another hypervisor; write nothing.",
        discussion: """
            Prints whether the guest will boot and with which entry, the machine that it needs, every change with its \
            reason, and what is left to do by hand; the changes as a unified diff come behind it. Exits 2 when the \
            guest cannot boot there.

            Example:
              diskgraft plan web01.vmdk --to kvm
              diskgraft plan disk1.vhd --with disk2.vhd --to xenserver --map /dev/hdc=2
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var path: String

    @OptionGroup var image: ImageArguments
    @OptionGroup var disks: FurtherDisks
    @OptionGroup var plan: PlanArguments

    @OptionGroup var parts: PlanParts

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let guest = try Guest.open([path] + disks.with, options: image.options)
        for warning in guest.warnings { Terminal.printWarning(warning) }
        let plan = try guest.plan(try plan.options())
        for system in plan.leftOut { Terminal.printWarning(system) }
        if json { try JSONOutput.print(plan.report) } else { Terminal.print(parts.text(of: plan)) }
        if let refusal = plan.refusal {
            if parts.diff == true, !json { Terminal.printWarning("nothing is written: \(refusal)") }
            throw ExitCode(ExitStatus.refused.rawValue)
        }
    }
}
