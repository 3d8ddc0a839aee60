import ArgumentParser
import DiskGraft

/// `diskgraft migrate SRC… DST --to TARGET`: convert and patch in one pass.
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "migrate",
        abstract: "Copy a guest's disks for another hypervisor, patched so that it boots there.",
        discussion: """
            The sources are never written. One source: DST is a file; several: DST is a directory. Disks given by \
            --with come after the named ones. The format is -O, else DST's suffix, else the target's own. \

            Example:
              diskgraft migrate web01.vmdk web01.vhd --to hyperv
              diskgraft migrate -p disk1.vhd disk2.vhd out/ --to kvm -O qcow2
            """)

    @Argument(
        help: ArgumentHelp("The guest's disks in their order, then the destination.", valueName: "src… dst"))
    var paths: [String]

    @OptionGroup var image: ImageArguments
    @OptionGroup var disks: FurtherDisks
    @OptionGroup var plan: PlanArguments

    @Option(
        name: [.customShort("O"), .customLong("output-format")],
        help:
            "The format to make: \(ImageFormat.madeNames); or one archive of them all: \(ApplianceFormat.names)."
    )
    var outputFormat: String?

    @Option(
        name: [.customShort("o"), .customLong("output-option")],
        help: ArgumentHelp("Options of that format, as qemu-img names them.", valueName: "key=value,…"))
    var outputOptions: [String] = []

    @Flag(
        help:
            "Copy a disk of 4096-byte sectors into a format of 512-byte ones; its partition table will not fit."
    )
    var force = false

    @Flag(
        help:
            "Copy the disks as they are where the guest cannot be judged or patched; say what is known of it."
    )
    var unpatched = false

    @Option(
        help: ArgumentHelp(
            "Describe the new machine too, in a file beside the disks: \(MachineLanguage.names). Can be given several times.",
            valueName: "format"))
    var vm: [String] = []

    @OptionGroup var parts: PlanParts

    @Flag(help: "Print JSON: the plan and the disks that were made.")
    var json = false

    @Flag(name: [.customShort("p"), .customLong("progress")], help: "Show progress.")
    var progress = false

    func validate() throws {
        guard paths.count >= 2 else { throw ValidationError("name at least one source and the destination") }
    }

    func run() throws {
        let options = try plan.options()
        let guest = try Guest.open(paths.dropLast() + disks.with, options: image.options)
        for warning in guest.warnings { Terminal.printWarning(warning) }
        let line = progress ? ProgressLine() : nil
        let appliance = ApplianceFormat.chosen(outputFormat, for: paths[paths.count - 1])
        var conversion = DiskConversion(
            format: appliance == nil ? try outputFormat.parsed(ImageFormat.init(named:)) : nil,
            options: try parseOptions(outputOptions))
        conversion.ignoresSectorSize = force
        if let line { conversion.progress = { line.update($0, $1) } }
        var migration = GuestMigration(conversion: conversion)
        migration.leavesUnpatched = unpatched
        migration.appliance = appliance
        migration.descriptions = try vm.map(MachineLanguage.init(named:))
        let destination = paths[paths.count - 1]
        let replaced = DiskImage.replacementWarnings(destination)
        for warning in replaced
            + (try migration.formatWarnings(for: guest, to: destination, target: options.target))
        {
            Terminal.printWarning(warning)
        }
        _ = try migration.outputs(for: guest, to: destination, target: options.target)
        var shown: GuestPlan?
        if unpatched { shown = showUnpatched(guest, options) }
        let outputs: [GuestMigration.Output]
        do throws(StorageError) {
            outputs = try migration.run(
                guest, to: destination, options,
                show: { plan in
                    shown = plan
                    for system in plan.leftOut { Terminal.printWarning(system) }
                    if !json { Terminal.print(parts.text(of: plan)) }
                })
        } catch {
            // Why it is refused is data too.
            if json, let shown, shown.refusal != nil { try report([], shown) }
            throw error
        }
        line?.finish()
        try report(outputs, shown)
    }

    /// The whole as data.
    private struct Report: Encodable {
        /// The plan; nil where none could be made.
        var plan: PlanReport?
        /// The disks that were made, and the descriptions of their machine.
        var outputs: [GuestMigration.Output]
    }

    private func report(_ outputs: [GuestMigration.Output], _ plan: GuestPlan?) throws {
        if json { return try JSONOutput.print(Report(plan: plan?.report, outputs: outputs)) }
        for output in outputs {
            let source = output.source.map(Terminal.name) ?? "the new machine"
            var line = "\(source) → \(Terminal.name(output.path))"
            if let companions = output.companions, let first = companions.first {
                let others = companions.count == 1 ? "" : " and \(companions.count - 1) more"
                line += ", with \(Terminal.name(first))\(others) beside it"
            }
            Terminal.print(line + "\n")
        }
    }

    /// What is known of a guest that is copied as it is.
    private func showUnpatched(_ guest: Guest, _ options: PlanOptions) -> GuestPlan? {
        do throws(StorageError) {
            let plan = try guest.plan(options)
            if !json {
                Terminal.print(plan.summary)
                Terminal.print("the disks are copied as they are: nothing in the guest is changed\n")
            }
            return plan
        } catch {
            Terminal.printWarning(error.description)
            if !json { Terminal.print("the disks are copied as they are: nothing in the guest is changed\n") }
            return nil
        }
    }
}
