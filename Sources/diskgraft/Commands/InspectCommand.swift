import ArgumentParser
import DiskGraft

/// `diskgraft inspect IMAGE`: what the guest is and every device name in it.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "inspect",
        abstract: "Show what a guest is, its boot loader, and every device name with what it stands for.",
        discussion: """
            Example:
              diskgraft inspect web01.vmdk
              diskgraft inspect --json disk1.vhd --with disk2.vhd --from hyperv
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var path: String

    @OptionGroup var image: ImageArguments
    @OptionGroup var disks: FurtherDisks
    @OptionGroup var damage: DamageArguments
    @OptionGroup var source: SourceArguments

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        var options = try image.options
        options.ignoresChecksums = damage.ignoreChecksums
        let guest = try Guest.open([path] + disks.with, options: options)
        for warning in guest.warnings { Terminal.printWarning(warning) }
        defer { for warning in guest.fileSystemWarnings { Terminal.printWarning(warning) } }
        let report = try guest.inspect(try source.options(), wording: .flags)
        if json { return try JSONOutput.print(report) }
        Terminal.print(Self.text(report))
    }

    private static func text(_ report: InspectionReport) -> String {
        var text = report.systems.isEmpty ? "no Linux system was found\n" : ""
        for system in report.systems {
            var head = TextTable()
            head.add("system:", system.title)
            head.add("root:", system.root)
            head.add("source:", system.source)
            for mount in system.mounts { head.add("mount:", "\(mount.path) on \(mount.volume)") }
            for fact in system.facts {
                let parts = fact.split(separator: ":", maxSplits: 1)
                head.add("\(parts.first ?? ""):", String((parts.dropFirst().first ?? "").drop { $0 == " " }))
            }
            for entry in system.entries {
                let initrd = entry.hasInitrd ? "" : " (no initramfs)"
                head.add(
                    entry.isDefault ? "kernel entry, default:" : "kernel entry:",
                    "\(entry.kernel ?? "none")\(initrd): \(entry.title)")
            }
            for note in system.notes { head.add("note:", note) }
            text += head.text
            if !system.references.isEmpty {
                text += "device names:\n"
                var rows = TextTable(indentation: 2)
                for reference in system.references {
                    let meaning = reference.resolved ?? reference.note ?? "stable"
                    rows.add(
                        "\(reference.path):\(reference.line)", reference.use, reference.name,
                        "→ \(meaning)\(reference.stable ? "" : ", depends on the controller")")
                }
                text += rows.text
            }
        }
        for finding in report.findings { text += "note: \(finding.asShown)\n" }
        return text
    }
}
