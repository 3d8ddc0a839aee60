import ArgumentParser
import DiskGraft
import Glibc

/// `diskgraft put IMAGE SRC PATH`.
struct PutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "put",
        abstract: "Put a file into the guest: replace its contents, or make it; a directory with -r.",
        discussion: """
            On replacement mode, owner, links and extended attributes stay. A new file takes the source's mode, \
            its directory's owner and its neighbours' SELinux label. Holes of a file stay holes. IMAGE.undo keeps \
            the bytes as they were.

            With -r, a directory goes into the guest with everything in it: into PATH where that is a directory, else \
            as PATH. Directories that are there are added to. Symbolic links are made as they are and none is \
            followed; devices, FIFOs and sockets are left out, which is said, and the exit status is 1 then. (`untar` keeps owners \
            and attributes too.)

            Example:
              diskgraft put web01.vmdk ./fstab /etc/fstab
              echo web02 | diskgraft put web01.vmdk - /etc/hostname
              diskgraft put -r web01.vmdk ./site /srv
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The file; - is standard input.", valueName: "source"))
    var source: String

    @Argument(
        help: ArgumentHelp("Where to, in the guest; a directory takes the source's name.", valueName: "path"))
    var path: PathArgument

    @Flag(name: [.customShort("r"), .customLong("recursive")], help: "Put a directory and everything in it.")
    var recursive = false

    @OptionGroup var place: EditArguments
    @OptionGroup var new: NewFileArguments

    func run() throws {
        if recursive, HostDirectory.isDirectory(source) { return try putTree() }
        let contents = try FileContents.source(source)
        try place.edit(image) { (edit) throws(StorageError) in
            var target = path.path
            if source != "-", try edit.attributes(of: target)?.type == .directory {
                target = target.appending(HostPath.name(of: source).hostBytes)
            }
            let isNew = try edit.attributes(of: target) == nil
            let isFile = isNew && source != "-"
            let options = try new.options(
                edit, usual: isFile ? HostDirectory.permissions(of: source) : nil)
            try edit.put(contents, at: target, options)
        }
    }

    private func putTree() throws {
        guard new.mode == nil else { throw ValidationError("-m says the mode of one file") }
        var leftOut = 0
        try place.edit(image) { (edit) throws(StorageError) in
            var target = path.path
            // As cp does: "." and "/" have no name, and their contents go there.
            let name = GuestPath(source).lastComponent.flatMap {
                $0.allSatisfy { $0 == UInt8(ascii: ".") } ? nil : $0
            }
            if let name, try edit.attributes(of: target)?.type == .directory {
                target = target.appending(name)
            }
            var tree = TreePut(edit, new)
            try tree.put(source, at: target)
            leftOut = tree.leftOut
        }
        if leftOut > 0 { throw ExitCode(ExitStatus.failed.rawValue) }
    }
}

/// `diskgraft edit IMAGE PATH`.
struct EditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "edit",
        abstract: "Edit a file of the guest in $EDITOR.",
        discussion: """
            The editor ($VISUAL, else $EDITOR, else vi) gets a copy. Nothing is written when the copy comes back \
            unchanged or the editor fails.

            Example:
              diskgraft edit web01.vmdk /etc/fstab
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The file.", valueName: "path"))
    var path: PathArgument

    @OptionGroup var place: EditArguments

    func run() throws {
        try place.image.options.requireLocks(image)
        let target = path.path
        let before = try current(target)
        let folder = Self.temporaryFolder + "/diskgraft-\(try SystemRandom.bytes(8).hexString)"
        try HostDirectory.create(folder, mode: 0o700)
        let copy = folder + "/" + HostPath.name(of: String(hostBytes: target.bytes))
        defer {
            for name in HostDirectory.names(in: folder) { try? HostDirectory.remove(folder + "/" + name) }
            try? HostDirectory.removeEmpty(folder)
        }
        do {
            let file = try HostFile.create(copy, mode: 0o600)
            try file.write(before, at: 0)
        }
        let editor = Host.environment("VISUAL") ?? Host.environment("EDITOR") ?? "vi"
        try Editor.run(editor, on: copy)
        let file = try HostFile.open(copy, locking: .ignore)
        guard file.byteCount <= Self.sizeLimit else { throw tooLong }
        let after = try file.bytes(at: 0, count: Int(file.byteCount))
        guard after != before else {
            return Terminal.printError("\(path.shown) is unchanged; nothing was written")
        }
        guard try current(target) == before else {
            throw StorageError(
                .refused, GuestCode.changedSince,
                "\(path.shown) was changed by somebody else meanwhile; nothing was written", path: image)
        }
        try place.edit(image) { (edit) throws(StorageError) in try edit.put(FileContents(after), at: target) }
    }

    private static let sizeLimit: UInt64 = 64 << 20

    private var tooLong: StorageError {
        StorageError(
            .refused, GuestCode.tooLong,
            "\(path.shown) is longer than 64 MiB; use get and put",
            path: image)
    }

    /// The file as it is. The image is not kept open while somebody edits.
    private func current(_ target: GuestPath) throws -> [UInt8] {
        let guest = try Guest.open([image] + place.disks.with, options: place.image.options)
        let source = try place.source.options()
        // What is put back is refused then, and nobody should have edited in vain.
        if place.volume == nil, let several = try guest.severalSystems(source) { throw several }
        let files = try guest.files(volume: place.volume, source: source)
        let file = try files.find(target)
        var contents: [UInt8] = []
        guard file.attributes.size <= Self.sizeLimit else { throw tooLong }
        try files.forEachPiece(of: file) { contents += $0.array(0..<$0.byteCount) }
        return contents
    }

    private static var temporaryFolder: String { Host.environment("TMPDIR") ?? "/tmp" }
}

/// `diskgraft untar IMAGE ARCHIVE [PATH]`.
struct UntarCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "untar",
        abstract: "Unpack a tar archive into a directory of the guest.",
        discussion: """
            Owners, modes, times, links, devices, extended attributes and ACLs come from the archive (ustar, pax, \
            GNU); files with holes (tar -S) keep them. Names with .. and names through the archive's own symbolic links are refused, and so is an archive \
            that stops without its end. A / at the beginning of names is left out, which is said. Everything is \
            recorded first: a refused archive writes nothing.

            Example:
              tar -c -C ./overlay . | diskgraft untar web01.vmdk - /
              gzip -dc app.tar.gz | diskgraft untar web01.vmdk - /srv/app
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The archive; - is standard input.", valueName: "archive"))
    var archive: String

    @Argument(help: ArgumentHelp("The directory; the root without it.", valueName: "path"))
    var path = PathArgument(GuestPath.root)

    @OptionGroup var place: EditArguments

    func run() throws {
        let contents = try FileContents.source(archive)
        try place.edit(image) { (edit) throws(StorageError) in
            _ = try edit.untar(contents, into: path.path, report: { Terminal.printWarning($0) })
        }
    }
}
