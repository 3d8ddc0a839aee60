import ArgumentParser
import DiskGraft
import Storage

/// `diskgraft get IMAGE PATH [DEST]`.
struct GetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Copy a file or a directory out of the guest.",
        discussion: """
            Holes stay holes; modes and times are kept, owners are not (use tar for those).

            Example:
              diskgraft get web01.vmdk /etc ./etc-of-web01
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The file or directory.", valueName: "path"))
    var path: String

    @Argument(help: ArgumentHelp("Where to; without it, the same name here.", valueName: "destination"))
    var destination: String?

    @OptionGroup var place: FileArguments

    @Flag(name: [.customShort("p"), .customLong("progress")], help: "Show how much has been copied.")
    var progress = false

    func run() throws { try place.withFiles(of: image, run) }

    private func run(_ files: GuestFiles) throws {
        let top = try files.find(Array(path.utf8))
        let name = top.path.split(separator: UInt8(ascii: "/")).last.map { Array($0) }
        var target = destination ?? name.flatMap { String(validating: $0, as: UTF8.self) } ?? "root"
        if destination != nil, HostDirectory.isDirectory(target), let name,
            let text = String(validating: name, as: UTF8.self)
        {
            target += "/" + text
        }
        var failed = false
        try files.extract(
            top, to: target, isCancelled: { Interruption.hasCome },
            progress: { if progress { Terminal.write(Array("    \(SizeText.short($0))\r".utf8)) } },
            report: { message in
                Terminal.printWarning(message)
                failed = true
            })
        if progress { Terminal.write(Array("\n".utf8)) }
        if failed { throw ExitCode(ExitStatus.failed.rawValue) }
    }
}

/// `diskgraft stat IMAGE PATH`.
struct StatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stat",
        abstract: "Show a file's attributes and extended attributes.",
        discussion: """
            Example:
              diskgraft stat web01.vmdk /etc/fstab
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The file; a symbolic link is not followed.", valueName: "path"))
    var path: String

    @OptionGroup var place: FileArguments

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws { try place.withFiles(of: image, run) }

    private func run(_ files: GuestFiles) throws {
        let file = try files.find(Array(path.utf8), followLast: false)
        if json { return Terminal.write(try FileListing(files: files).jsonLine(file)) }
        let attributes = file.attributes
        var table = TextTable()
        table.add("path:", file.path.displayText)
        table.add("volume:", files.volumeName(of: file))
        table.add("inode:", "\(file.id)")
        table.add("type:", FileListing.typeWord(attributes.type))
        table.add("mode:", "\(String(attributes.permissions, radix: 8)) \(FileListing.modeText(attributes))")
        table.add("owner:", "\(attributes.owner):\(attributes.group)")
        table.add("links:", "\(attributes.linkCount)")
        table.add("size:", "\(attributes.size), \(attributes.allocatedByteCount) on disk")
        if let device = attributes.deviceNumber { table.add("device:", "\(device.major):\(device.minor)") }
        if attributes.type == .symbolicLink {
            table.add("target:", try files.linkTarget(of: file).displayText)
        }
        table.add("modified:", FileListing.timeText(attributes.modificationTime))
        table.add("changed:", FileListing.timeText(attributes.changeTime))
        table.add("accessed:", FileListing.timeText(attributes.accessTime))
        for attribute in try files.extendedAttributes(of: file) {
            table.add(
                "\(attribute.name.displayText):", ACLText.short(attribute) ?? attribute.value.displayText)
        }
        Terminal.write(Array(table.text.utf8))
    }
}

/// `diskgraft find IMAGE [PATH]`.
struct FindCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find",
        abstract: "Print the paths of everything below a directory.",
        discussion: """
            Example:
              diskgraft find web01.vmdk /boot
              diskgraft find web01.vmdk / --type f --name fstab
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("Where to begin.", valueName: "path"))
    var path: String = "/"

    @OptionGroup var place: FileArguments

    @Option(help: ArgumentHelp("Only files of exactly this name.", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("Only this type: f, d, l, b, c, p, s.", valueName: "type"))
    var type: String?

    func run() throws { try place.withFiles(of: image, run) }

    private func run(_ files: GuestFiles) throws {
        let types: [String: FileType] = [
            "f": .regular, "d": .directory, "l": .symbolicLink, "b": .blockDevice, "c": .characterDevice,
            "p": .fifo, "s": .socket,
        ]
        let wanted = try type.map { text in
            guard let known = types[text] else { throw ValidationError("there is no type \"\(text)\"") }
            return known
        }
        let wantedName = name.map { Array($0.utf8) }
        var output = BufferedOutput()
        var failed = false
        try files.walk(try files.find(Array(path.utf8))) { (visit) throws(StorageError) in
            switch visit {
            case .unreadable(_, let error):
                Terminal.printError(error.description)
                failed = true
            case .file(let file):
                let last = file.path.split(separator: UInt8(ascii: "/")).last.map { Array($0) } ?? []
                if wanted.map({ $0 == file.attributes.type }) ?? true, wantedName.map({ $0 == last }) ?? true
                {
                    output.write(file.path + [UInt8(ascii: "\n")])
                }
            }
            return !Interruption.hasCome
        }
        output.flush()
        if failed { throw ExitCode(ExitStatus.failed.rawValue) }
    }
}

/// `diskgraft tar IMAGE [PATH]`.
struct TarCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tar",
        abstract: "Write a tree as a tar archive to standard output.",
        discussion: """
            Owners, devices, hard links, extended attributes and ACLs are in it (pax headers).

            Example:
              diskgraft tar web01.vmdk /etc | tar -t
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The directory or file.", valueName: "path"))
    var path: String = "/"

    @OptionGroup var place: FileArguments

    func run() throws { try place.withFiles(of: image, run) }

    private func run(_ files: GuestFiles) throws {
        var failed = false
        var archive = TarWriter(files) { Terminal.write($0) }
        try archive.add(try files.find(Array(path.utf8))) { message in
            Terminal.printWarning(message)
            failed = true
        }
        archive.finish()
        if failed { throw ExitCode(ExitStatus.failed.rawValue) }
    }
}
