import ArgumentParser
import DiskGraft

/// `diskgraft initramfs IMAGE PATH`.
struct InitramfsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "initramfs",
        abstract: "Show what an initramfs of the guest holds.",
        discussion: """
            Reads it as Linux does: archives one behind the other, of every compression that Linux unpacks, later files \
            over earlier ones; of a unified kernel image the one in it. Nothing is unpacked to disk.

            Example:
              diskgraft initramfs web01.vmdk /boot/initrd.img-6.1.0-18-amd64
              diskgraft initramfs --files web01.vmdk /boot/initramfs-5.14.0-427.el9.x86_64.img
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The initramfs, or the unified kernel image.", valueName: "path"))
    var path: PathArgument

    @OptionGroup var place: FileArguments

    @Flag(help: "Every file that it unpacks to, too.")
    var files = false

    @Flag(help: "Print JSON, with every file.")
    var json = false

    func run() throws { try place.withFiles(of: image, run) }

    private func run(_ guest: GuestFiles) throws {
        let description = try guest.initramfs(try guest.find(path.path))
        if json {
            try JSONOutput.print(description)
        } else {
            Terminal.print(Self.text(description, files: files))
        }
        if let failure = description.failure {
            Terminal.printWarning("Linux does not unpack all of it: \(failure)")
            throw ExitCode(ExitStatus.failed.rawValue)
        }
    }

    private static func text(_ description: InitramfsDescription, files: Bool) -> String {
        var head = TextTable()
        let version = description.generatorVersion.map { " \($0)" } ?? ""
        head.add("generator:", description.generator + version)
        if let isHostOnly = description.isHostOnly {
            head.add("for this machine alone:", isHostOnly ? "yes" : "no")
        }
        if let live = description.liveSystem { head.add("live system:", live) }
        if description.hasSystemd { head.add("init:", "systemd") }
        if let fileSystem = description.fileSystem { head.add("file system:", fileSystem) }
        if !description.releases.isEmpty {
            head.add("kernels:", description.releases.joined(separator: ", "))
        }
        if let place = description.placeOfAdditions { head.add("more can be added:", "\(place) it") }
        if let unified = description.unifiedKernel {
            head.add("unified kernel image:", unified.sections.joined(separator: " "))
            if let line = unified.commandLine { head.add("command line:", line) }
        }
        var text = head.text
        func table(_ title: String, _ rows: TextTable, isEmpty: Bool) {
            if !isEmpty { text += "\(title):\n" + rows.text }
        }
        var rows = TextTable(indentation: 2)
        for member in description.members {
            rows.add(
                "at \(member.offset)", SizeText.short(member.size), member.compression ?? "not compressed",
                SizeText.short(member.decodedSize), "\(member.entries) entries",
                member.isEarly ? "microcode" : "")
        }
        table("members", rows, isEmpty: description.members.isEmpty)
        rows = TextTable(indentation: 2)
        for copy in description.configuration { rows.add(copy.path, copy.kind) }
        table("configuration", rows, isEmpty: description.configuration.isEmpty)
        rows = TextTable(indentation: 2)
        for list in description.loadedModules { rows.add(list.path, list.modules.joined(separator: " ")) }
        table("modules that it loads by name", rows, isEmpty: description.loadedModules.isEmpty)
        if !description.modules.isEmpty {
            text += "modules (\(description.modules.count)):\n"
            text += "  " + description.modules.map(\.name).sorted().joined(separator: " ").asShown + "\n"
        }
        if files {
            rows = TextTable(indentation: 2)
            for file in description.files {
                let octal = String(file.permissions, radix: 8)
                rows.add(
                    file.type, String(repeating: "0", count: max(4 - octal.count, 0)) + octal, "\(file.size)",
                    file.path + (file.target.map { " -> \($0)" } ?? ""))
            }
            table("files", rows, isEmpty: description.files.isEmpty)
        }
        return text
    }
}
