import ArgumentParser
import DiskGraft

/// `diskgraft get IMAGE PATH [DEST]`.
struct GetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "get",
        abstract: "Copy a file or a directory out of the guest.",
        discussion: """
            Holes stay holes; permissions and times are kept. Owners are not (use tar for those), nor are ACLs, \
            other extended attributes and hard links, which become files of their own: that is said once. An image \
            decides what is in it, so some of it is made only where asked: links that lead out of what is copied \
            (--links all), set-user-ID, set-group-ID and files' sticky bits (--set-id), devices, FIFOs and sockets \
            (--devices). What of these is left out, and what cannot be read, is said, and the exit status is 1. The \
            group gets no more rights than an ACL gives it. Below the destination nothing is written through a link, \
            and nothing outside it; what has the name already is neither replaced nor added to. The contents of one \
            file go to standard output where the destination is -.

            Example:
              diskgraft get web01.vmdk /etc ./etc-of-web01 --links all
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The file or directory.", valueName: "path"))
    var path: PathArgument

    @Argument(
        help: ArgumentHelp(
            "Where to, or - for standard output; without it, the same name here.", valueName: "destination"))
    var destination: String?

    @OptionGroup var place: FileArguments

    @Option(
        help: ArgumentHelp(
            "Make these symbolic links: inside (those that stay within what is copied), all (as they are), none.",
            valueName: "which"))
    var links = "inside"

    @Flag(
        name: .customLong("set-id"), help: "Keep set-user-ID and set-group-ID bits, and files' sticky bits.")
    var setID = false

    @Flag(help: "Make device nodes (which needs root), FIFOs and sockets.")
    var devices = false

    @Flag(name: [.customShort("p"), .customLong("progress")], help: "Show how much has been copied.")
    var progress = false

    func run() throws { try place.withFiles(of: image, run) }

    private func run(_ files: GuestFiles) throws {
        guard let links = ExtractionOptions.Links(rawValue: links) else {
            let known = ExtractionOptions.Links.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("there are no links \"\(self.links)\"; there are \(known)")
        }
        let top =
            destination == "-" ? try files.find(path.path) : try files.findForCopy(path.path)
        if destination == "-" {
            return try files.forEachPiece(of: top) { (bytes) throws(StorageError) in Terminal.write(bytes) }
        }
        let name = top.path.lastComponent
        var target = destination ?? name.map { String(hostBytes: $0) } ?? "root"
        if destination != nil, HostDirectory.isDirectory(target), let name {
            target += "/" + String(hostBytes: name)
        }
        var failed = false
        try files.extract(
            top, to: target,
            options: ExtractionOptions(links: links, keepsSetID: setID, makesNodes: devices),
            progress: { if progress { Terminal.write(Array("    \(SizeText.short($0))\r".utf8)) } },
            report: { message in
                Terminal.printWarning(message)
                failed = true
            },
            note: { Terminal.printWarning($0) })
        if progress { Terminal.write(Array("\n".utf8)) }
        if failed { throw ExitCode(ExitStatus.failed.rawValue) }
    }
}

/// `diskgraft stat IMAGE PATH`.
struct StatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "stat",
        abstract: "Show a file's attributes and extended attributes.",
        discussion: """
            Example:
              diskgraft stat web01.vmdk /etc/fstab
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The file; a symbolic link is not followed.", valueName: "path"))
    var path: PathArgument

    @OptionGroup var place: FileArguments

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws { try place.withFiles(of: image, run) }

    private func run(_ files: GuestFiles) throws {
        let file = try files.find(path.path, followLast: false)
        if json { return Terminal.write(try FileListing(files: files).jsonLine(file)) }
        let attributes = file.attributes
        var table = TextTable()
        table.add("path:", name: String(hostBytes: Terminal.name(file.path.bytes)))
        table.add("volume:", files.volumeName(of: file))
        table.add("inode:", "\(file.id)")
        table.add("type:", FileListing.typeWord(attributes.type))
        table.add("mode:", "\(String(attributes.permissions, radix: 8)) \(FileListing.modeText(attributes))")
        table.add("owner:", "\(attributes.owner):\(attributes.group)")
        table.add("links:", "\(attributes.linkCount)")
        table.add("size:", "\(attributes.size), \(attributes.allocatedByteCount) on disk")
        if let device = attributes.deviceNumber { table.add("device:", "\(device.major):\(device.minor)") }
        if attributes.type == .symbolicLink {
            table.add("target:", name: String(hostBytes: Terminal.name(try files.linkTarget(of: file))))
        }
        table.add("modified:", FileListing.timeText(attributes.modificationTime))
        table.add("changed:", FileListing.timeText(attributes.changeTime))
        table.add("accessed:", FileListing.timeText(attributes.accessTime))
        for attribute in try files.extendedAttributes(of: file) {
            table.add(
                "\(attribute.name.displayText):",
                AccessControl(attribute)?.text(longNames: true) ?? attribute.value.displayText)
        }
        Terminal.print(table.text)
    }
}

/// `diskgraft find IMAGE [PATH]`.
struct FindCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "find",
        abstract: "Print the paths of everything below a directory.",
        discussion: """
            Example:
              diskgraft find web01.vmdk /boot
              diskgraft find web01.vmdk / --type f --name '*.conf'
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("Where to begin.", valueName: "path"))
    var path = PathArgument(GuestPath.root)

    @OptionGroup var place: FileArguments

    @Option(
        help: ArgumentHelp(
            "Only files of this name, in which *, ? and [a-z] stand for others, as in find(1).",
            valueName: "pattern"))
    var name: ByteArgument?

    @Flag(
        name: [.customShort("0"), .customLong("null")],
        help: "End every path with NUL instead of a line end, for xargs -0.")
    var null = false

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
        let pattern = (name?.bytes).map(NamePattern.init)
        var output = BufferedOutput()
        var failed = false
        try files.walk(try files.find(path.path)) { (visit) throws(StorageError) in
            switch visit {
            case .unreadable(_, let error):
                Terminal.printError(error.spelled)
                failed = true
            case .file(let file):
                let last = file.path.lastComponent ?? []
                if wanted.map({ $0 == file.attributes.type }) ?? true,
                    pattern.map({ $0.matches(last) }) ?? true
                {
                    output.write(
                        null ? file.path.bytes + [0] : Terminal.name(file.path.bytes) + [UInt8(ascii: "\n")])
                }
            }
            return true
        }
        output.flush()
        if failed { throw ExitCode(ExitStatus.failed.rawValue) }
    }
}

/// `diskgraft tar IMAGE [PATH]`.
struct TarCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "tar",
        abstract: "Write a tree as a tar archive to standard output.",
        discussion: """
            Owners, devices, hard links, extended attributes and ACLs are in it (pax headers). Holes are not: they \
            are zeros there, and `get` keeps them.

            Example:
              diskgraft tar web01.vmdk /etc | tar -t
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The directory or file.", valueName: "path"))
    var path = PathArgument(GuestPath.root)

    @OptionGroup var place: FileArguments

    func run() throws { try place.withFiles(of: image, run) }

    private func run(_ files: GuestFiles) throws {
        var failed = false
        var archive = TarWriter(files) { Terminal.write($0) }
        try archive.add(try files.findForCopy(path.path)) { message in
            Terminal.printWarning(message)
            failed = true
        }
        archive.finish()
        if failed { throw ExitCode(ExitStatus.failed.rawValue) }
    }
}
