import ArgumentParser
import DiskGraft

/// `diskgraft check IMAGE`: one command over all layers.
struct CheckCommand: ParsableCommand, LockHonouring {
    static let configuration = CommandConfiguration(
        subcommand: "check",
        abstract: "Check image tables, partition tables and file systems.",
        discussion: """
            Exits 0 when all is clean, 1 when it, or some of it, could not be checked, 2 when something is damaged, \
            3 when an image only leaks space.

            Example:
              diskgraft check web01.qcow2
              diskgraft check --repair gpt grown.img
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var path: String

    @OptionGroup var image: ImageArguments
    @OptionGroup var tracking: TrackingArguments
    @OptionGroup var disks: FurtherDisks
    @OptionGroup var source: SourceArguments

    @Option(
        help: ArgumentHelp(
            "Repair, undoably: gpt (the damaged or displaced copy, from the sound one), leaks (clusters of a qcow2 that nothing refers to).",
            valueName: "what"))
    var repair: String?

    @Option(
        name: .customShort("r"),
        help: ArgumentHelp(
            "As qemu-img has it: leaks is --repair leaks; nothing else is built.", valueName: "what"))
    var qemuRepair: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var qemu: QEMUOutputArguments
    @OptionGroup var quiet: QuietArguments
    @OptionGroup var sourceCache: SourceCacheArguments

    func validate() throws {
        if let qemuRepair, qemuRepair != "leaks" {
            throw ValidationError("-r repairs leaks; damage is not repaired here")
        }
    }

    var honoursLocks: Bool { repair != nil || qemuRepair != nil }

    func run() throws {
        try source.check(diskCount: 1 + disks.with.count)
        let repair = repair ?? qemuRepair
        let repairs = GuestCheck.repairs.filter { $0.word == repair }
        if let repair, repairs.isEmpty {
            throw ValidationError(
                "there is no repair \"\(repair)\"; there is \(GuestCheck.repairs.map(\.word).joined(separator: ", "))"
            )
        }
        let check: GuestCheck
        do throws(StorageError) {
            check = try GuestCheck.run(
                [path] + disks.with, options: tracking.options(image), repair: Set(repairs)
            )
            .naming(\.spelled)
        } catch {
            guard !error.isCancellation else { throw error }
            Terminal.printError(error.spelled)
            throw ExitCode(error.kind == .misuse ? ExitStatus.usage.rawValue : 1)
        }
        if quiet.quiet {
            // The exit status tells.
        } else if qemu.output == .json {
            let reports = try ([path] + disks.with).map { (path) throws(StorageError) in
                try QEMUCheckReport(path, check, options: image.options)
            }
            if let only = reports.first, reports.count == 1 {
                try JSONOutput.print(only)
            } else {
                try JSONOutput.print(reports)
            }
        } else if json {
            try JSONOutput.print(check)
        } else {
            for done in check.repaired { Terminal.print("repaired: \(done)\n") }
            for found in check.findings {
                let finding = found.finding
                let place = found.volume.map { " \($0)" } ?? ""
                let offset = finding.offset.map { " at byte \($0.hex)" } ?? ""
                let structure = finding.structure.map { " (\($0)\(offset))" } ?? ""
                Terminal.print(
                    "\(finding.severity.rawValue): \(Terminal.name(found.image))\(place): \(finding.layer): "
                        + "\(finding.message)\(structure)\n")
            }
            if check.findings.isEmpty { Terminal.write(Array("No errors were found.\n".utf8)) }
        }
        if check.isDamaged { throw ExitCode(2) }
        if check.checkedNothing {
            Terminal.printError(
                "\(path.hostBytes.shellText): holds nothing that can be checked here: no table, and no file system that is read"
            )
            throw ExitCode(1)
        }
        if check.isIncomplete { throw ExitCode(1) }
        if check.leaks { throw ExitCode(3) }
    }
}
