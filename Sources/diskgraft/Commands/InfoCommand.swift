import ArgumentParser
import DiskGraft

/// `diskgraft info IMAGE`: what an image is and what lies on it.
struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "info",
        abstract: "Show an image's format, sizes, partitions and file systems.",
        discussion: """
            Reads a bounded part of the image and opens no other file. Names of other files are shown as stored.

            Example:
              diskgraft info web01.vmdk
              diskgraft info --json disk1.qcow2 --with disk2.qcow2
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var path: String

    @OptionGroup var image: ImageArguments
    @OptionGroup var disks: FurtherDisks
    @OptionGroup var source: SourceArguments

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Tell of every image of the chain, each by itself; all of them must be allowed to be opened.")
    var backingChain = false

    @OptionGroup var qemu: QEMUOutputArguments

    func run() throws {
        try source.check(diskCount: 1 + disks.with.count)
        if backingChain { return try printChain() }
        if qemu.output == .json {
            guard disks.with.isEmpty else {
                throw ValidationError(
                    "--output=json tells of one image, as qemu-img does; --json tells of several")
            }
            return try JSONOutput.print(try QEMUImageReport(path, options: image.options))
        }
        let (machine, reports) = try DiskReport.describeAll(
            [path] + disks.with, options: image.options
        ) { $0.spelled }
        if json {
            if let machine {
                try JSONOutput.print(Described(machine: machine, disks: reports))
            } else if let only = reports.first, reports.count == 1 {
                try JSONOutput.print(only)
            } else {
                try JSONOutput.print(reports)
            }
            return
        }
        if let machine { Terminal.print(Self.text(machine) + "\n") }
        Terminal.print(reports.map(Self.text).joined(separator: "\n"))
    }

    /// The image and those behind it, as one after the other.
    private func printChain() throws {
        guard disks.with.isEmpty else { throw ValidationError("--backing-chain tells of one image") }
        let options = try image.options
        let behind = try DiskImage.open(path, options: options).backingChain
        var members = [(path: path, options: options)]
        for (index, parent) in behind.enumerated() {
            var options = options
            options.format = nil
            options.parents = Array(behind[(index + 1)...])
            // The images' own names for each other, as the first was given.
            let isPlain = parent.hasPrefix("./") && !path.hasPrefix("./")
            members.append((isPlain ? String(parent.dropFirst(2)) : parent, options))
        }
        if qemu.output == .json {
            return try JSONOutput.print(
                try members.map { try QEMUImageReport($0.path, options: $0.options) })
        }
        let reports = try members.flatMap {
            try DiskReport.describe([$0.path], options: $0.options) { $0.spelled }
        }
        if json { return try JSONOutput.print(reports) }
        Terminal.print(reports.map(Self.text).joined(separator: "\n"))
    }

    /// A machine with its disks.
    private struct Described: Encodable {
        var machine: MachineReport
        var disks: [DiskReport]
    }

    private static func text(_ machine: MachineReport) -> String {
        func shown(_ text: String) -> String { Array(text.utf8).displayText }
        var head = TextTable()
        head.add("machine:", shown(machine.name ?? "without a name"))
        head.add("described by:", name: Terminal.name(machine.description))
        if let hypervisor = machine.hypervisor { head.add("hypervisor:", hypervisor) }
        if let firmware = machine.firmware {
            head.add("firmware:", firmware + (machine.secureBoot == true ? ", Secure Boot" : ""))
        }
        if let processors = machine.processors { head.add("processors:", "\(processors)") }
        if let memory = machine.memory { head.add("memory:", SizeText.short(memory)) }
        if let system = machine.system { head.add("system:", shown(system)) }
        for (index, disk) in machine.disks.enumerated() {
            let bus = disk.bus.map { $0 > 0 ? " \($0)" : "" } ?? ""
            let place = disk.controller.map { ", \($0)\(bus)" + (disk.unit.map { " at \($0)" } ?? "") }
            head.add("disk \(index + 1):", disk.file.hostBytes.displayText + (place ?? ""))
        }
        for card in machine.cards {
            let parts = [card.model, card.address, card.network].compactMap(\.self).map(shown)
            head.add("network card:", parts.joined(separator: ", "))
        }
        return head.text
    }

    private static func text(_ report: DiskReport) -> String {
        var head = TextTable()
        head.add("image:", name: Terminal.name(report.filename))
        head.add("format:", report.variant.map { "\(report.format), \($0)" } ?? report.format)
        head.add("virtual size:", SizeText.long(report.virtualSize))
        let disk = report.actualSize.map { ", \(SizeText.short($0)) on disk" } ?? ""
        head.add("file size:", SizeText.short(report.fileSize) + disk)
        if let unit = report.clusterSize, report.details["cluster size"] == nil {
            head.add("cluster size:", SizeText.short(unit))
        }
        if report.sectorSize != 512 { head.add("sector size:", "\(report.sectorSize)") }
        if let creator = report.creator { head.add("creator:", creator) }
        for name in report.detailOrder { head.add("\(name):", report.details[name] ?? "") }
        for reference in report.references { head.add("\(reference.role):", reference.name) }
        for (depth, parent) in report.parents.enumerated() {
            head.add(
                "chain \(depth + 1):",
                name: "\(Terminal.name(parent.filename)), \(SizeText.long(parent.virtualSize))")
        }
        var text = head.text
        if let table = report.partitionTable {
            let identifier = table.identifier.map { " \($0)" } ?? ""
            text += "partition table: \(table.kind)\(identifier)\n"
            if !table.partitions.isEmpty {
                var rows = TextTable(indentation: 2)
                rows.add("#", "start", "size", "type", "boot", "PARTUUID", "name")
                for part in table.partitions {
                    rows.add(
                        "\(part.number)", "\(part.start)", SizeText.short(part.size), part.type,
                        part.bootable ? "*" : "", part.uuid ?? "",
                        part.name.map { Array($0.utf8).displayText } ?? "")
                }
                text += rows.text
            }
        }
        if !report.volumes.isEmpty {
            text += "volumes:\n"
            var rows = TextTable(indentation: 2)
            rows.add("volume", "size", "holds", "label", "UUID")
            for volume in report.volumes {
                let also =
                    volume.alsoLooksLike.isEmpty
                    ? "" : " (or \(volume.alsoLooksLike.joined(separator: ", ")))"
                rows.add(
                    volume.name, SizeText.short(volume.size), volume.kind + also, volume.label ?? "",
                    volume.uuid ?? "")
            }
            text += rows.text
        }
        for group in report.groups {
            text +=
                "volume group \(group.name.asShown): \(group.uuid), seqno \(group.sequenceNumber), "
                + "extents of \(SizeText.short(group.extentSize))\n"
            var rows = TextTable(indentation: 2)
            for volume in group.physicalVolumes {
                rows.add(
                    "PV \(volume.volume ?? "missing")", volume.size.map { SizeText.short($0) } ?? "", "",
                    volume.uuid)
            }
            for volume in group.logicalVolumes {
                let note = volume.unreadable ?? volume.unwritable.map { "not written: \($0)" } ?? ""
                rows.add(
                    "LV \(volume.name)", SizeText.short(volume.size), volume.type, volume.uuid + " " + note)
            }
            text += rows.text
        }
        for array in report.arrays {
            text +=
                "array \(array.name.asShown): \(array.level), superblock \(array.version), \(array.uuid), "
                + "\(array.members.count) of \(array.memberCount) members: \(array.members.joined(separator: ", "))\n"
            if let note = array.unreadable ?? array.unwritable { text += "  \(note.asShown)\n" }
        }
        for warning in report.warnings { text += "warning: \(warning.asShown)\n" }
        return text
    }
}
