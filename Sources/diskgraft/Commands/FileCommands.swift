import ArgumentParser
import DiskGraft

/// Where the files are that a command reads.
struct FileArguments: ParsableArguments {
    @OptionGroup var image: ImageArguments
    @OptionGroup var disks: FurtherDisks
    @OptionGroup var source: SourceArguments
    @OptionGroup var damage: DamageArguments

    @Option(
        help: ArgumentHelp(
            "Read this volume alone (p2, 2:p1, VG/LV); without it, the guest's own tree.", valueName: "volume"
        ))
    var volume: String?

    /// Opens the guest's files for `body`, and says at its end what was odd in their file systems.
    func withFiles(of path: String, _ body: (GuestFiles) throws -> Void) throws {
        var options = try image.options
        options.ignoresChecksums = damage.ignoreChecksums
        let guest = try Guest.open([path] + disks.with, options: options)
        for warning in guest.warnings { Terminal.printWarning(warning) }
        defer { for warning in guest.fileSystemWarnings { Terminal.printWarning(warning) } }
        let files = try guest.files(volume: volume, source: try source.options())
        for note in files.notes { Terminal.printWarning(note.spelled) }
        try body(files)
    }
}

/// `diskgraft ls IMAGE [PATH]`.
struct ListCommand: ParsableCommand, Sendable {
    static let configuration = CommandConfiguration(
        subcommand: "ls",
        abstract: "List a directory of the guest.",
        discussion: """
            With --json, one object a line: path (path_hex where it is not UTF-8), type, mode, uid, gid, links, \
            size, mtime_ns, target (target_hex), rdev, sha256, xattrs (xattrs_hex). On a terminal names are quoted \
            as ls quotes them, for a shell to take back; elsewhere they are the guest's bytes. A directory on which \
            the fstab mounts what is not in the tree (a file system that cannot be read, a disk that was not given) \
            is listed with a warning; its contents are not.

            Example:
              diskgraft ls web01.vmdk /boot/grub
              diskgraft ls -l -R web01.vmdk /etc
              diskgraft ls -R --json --hash sha256 web01.vmdk --volume p1
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The directory or file; the root without it.", valueName: "path"))
    var path = PathArgument(GuestPath.root)

    @OptionGroup var place: FileArguments

    @Flag(name: .customShort("l"), help: "Modes, owners, sizes and times too.")
    var long = false

    @Flag(name: [.customShort("R"), .customLong("recursive")], help: "Everything below too, by full path.")
    var recursive = false

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(help: ArgumentHelp("Hash regular files (with --json): sha256.", valueName: "kind"))
    var hash: String?

    func validate() throws {
        guard hash == nil || hash == "sha256" else { throw ValidationError("the only hash is sha256") }
        guard hash == nil || json else { throw ValidationError("--hash goes with --json") }
    }

    func run() throws { try place.withFiles(of: image, run) }

    private func run(_ files: GuestFiles) throws {
        // As ls does: a link is shown by -l itself, and followed with a slash behind it.
        let top = try files.find(path.path, followLast: !long || path.path.endsInSlash)
        let listing = FileListing(files: files, hashes: hash != nil)
        var output = BufferedOutput()
        var failures = 0
        @Sendable func line(_ visit: GuestFiles.Visit, name: [UInt8]?) -> Result<[UInt8], StorageError> {
            do throws(StorageError) {
                switch visit {
                case .unreadable(_, let error): throw error
                case .file(let file):
                    let name = name ?? file.path.bytes
                    return .success(
                        json
                            ? try listing.jsonLine(file)
                            : long
                                ? try listing.longLine(file, name: name)
                                : Terminal.name(name) + [UInt8(ascii: "\n")])
                }
            } catch {
                return .failure(error)
            }
        }
        func show(_ line: Result<[UInt8], StorageError>) {
            switch line {
            case .success(let bytes): output.write(bytes)
            case .failure(let error):
                output.flush()
                Terminal.printError(error.spelled)
                failures += 1
            }
        }
        if recursive {
            try files.walk(
                top, transform: { line($0, name: nil) },
                { lines in
                    for line in lines { show(line) }
                    return true
                })
        } else if top.attributes.type == .directory {
            for entry in try files.entries(of: top) {
                try Cancellation.check()
                if let obstacle = files.obstacle(at: top.path.appending(entry.name)) {
                    output.flush()
                    Terminal.printWarning(obstacle.spelled)
                }
                guard long || json else {
                    output.write(Terminal.name(entry.name) + [UInt8(ascii: "\n")])
                    continue
                }
                let child = top.path.appending(entry.name)
                do throws(StorageError) {
                    show(line(.file(try files.find(child, followLast: false)), name: entry.name))
                } catch {
                    show(.failure(error))
                }
            }
        } else {
            show(line(.file(top), name: path.path.bytes))
        }
        output.flush()
        try Cancellation.check()
        if failures > 0 { throw ExitCode(ExitStatus.failed.rawValue) }
    }
}

/// `diskgraft cat IMAGE PATH`.
struct CatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "cat",
        abstract: "Print a file of the guest.",
        discussion: """
            Example:
              diskgraft cat web01.vmdk /etc/fstab
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The file.", valueName: "path"))
    var path: PathArgument

    @OptionGroup var place: FileArguments

    func run() throws { try place.withFiles(of: image, run) }

    private func run(_ files: GuestFiles) throws {
        try files.forEachPiece(of: try files.find(path.path)) { (bytes) throws(StorageError) in
            Terminal.write(bytes)
        }
    }
}
