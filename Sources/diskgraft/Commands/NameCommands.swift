import ArgumentParser
import DiskGraft

/// `diskgraft rm IMAGE PATH…`.
struct RemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "rm",
        abstract: "Remove files of the guest.",
        discussion: """
            A symbolic link goes itself, not what it points to. A directory that another volume is mounted in is \
            refused, and so is a path that ends in . or .., or in a slash behind a link.

            Example:
              diskgraft rm web01.vmdk /etc/machine-id
              diskgraft rm -r web01.vmdk /var/cache/apt /tmp/build
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The files.", valueName: "path"))
    var paths: [PathArgument]

    @Flag(
        name: [.customShort("r"), .customLong("recursive")], help: "Directories and everything in them too.")
    var recursive = false

    @Flag(help: "What is not there is no error.")
    var force = false

    @OptionGroup var place: EditArguments

    func run() throws {
        try place.edit(image) { (edit) throws(StorageError) in
            for path in paths {
                if force, try edit.attributes(of: path.path.withoutSlash, followLast: false) == nil {
                    continue
                }
                try edit.remove(path.path, recursively: recursive)
            }
        }
    }
}

/// `diskgraft rmdir IMAGE PATH…`.
struct RemoveDirectoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "rmdir",
        abstract: "Remove empty directories of the guest.",
        discussion: """
            Example:
              diskgraft rmdir web01.vmdk /mnt/cdrom
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The directories.", valueName: "path"))
    var paths: [PathArgument]

    @OptionGroup var place: EditArguments

    func run() throws {
        try place.edit(image) { (edit) throws(StorageError) in
            for path in paths { try edit.removeDirectory(path.path) }
        }
    }
}

/// `diskgraft mv IMAGE PATH DEST`.
struct MoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "mv",
        abstract: "Rename or move a file of the guest.",
        discussion: """
            Within one volume; what has the new name already is replaced as rename(2) does.

            Example:
              diskgraft mv web01.vmdk /etc/resolv.conf /etc/resolv.conf.old
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The file.", valueName: "path"))
    var path: PathArgument

    @Argument(help: ArgumentHelp("Its new name, or a directory.", valueName: "destination"))
    var destination: PathArgument

    @OptionGroup var place: EditArguments

    func run() throws {
        try place.edit(image) { (edit) throws(StorageError) in
            try edit.move(path.path, to: destination.path)
        }
    }
}

/// `diskgraft ln IMAGE TARGET NAME`.
struct LinkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "ln",
        abstract: "Give a file of the guest another name, or make a symbolic link.",
        discussion: """
            Example:
              diskgraft ln -s web01.vmdk ../usr/share/zoneinfo/UTC /etc/localtime --force
              diskgraft ln web01.vmdk /boot/vmlinuz /boot/vmlinuz.old
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The file, or what the symbolic link says.", valueName: "target"))
    var target: ByteArgument

    @Argument(help: ArgumentHelp("The new name, or a directory.", valueName: "name"))
    var name: PathArgument

    @Flag(name: [.customShort("s"), .customLong("symbolic")], help: "A symbolic link.")
    var symbolic = false

    @Flag(help: "Replace a file that has the name already.")
    var force = false

    @OptionGroup var place: EditArguments

    func validate() throws {
        guard !target.bytes.isEmpty else { throw ValidationError("the target is empty") }
    }

    func run() throws {
        try place.edit(image) { (edit) throws(StorageError) in
            if symbolic {
                try edit.symbolicLink(to: target.bytes, at: name.path, replacing: force)
            } else {
                try edit.link(GuestPath(target.bytes), as: name.path, replacing: force)
            }
        }
    }
}

/// `diskgraft mkdir IMAGE PATH…`.
struct MakeDirectoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "mkdir",
        abstract: "Make directories in the guest.",
        discussion: """
            Owner, group and SELinux label are those of the directory above.

            Example:
              diskgraft mkdir -p web01.vmdk /srv/app/data
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The directories.", valueName: "path"))
    var paths: [PathArgument]

    @Flag(
        name: [.customShort("p"), .customLong("parents")],
        help: "Those above too; no error for one that is there.")
    var parents = false

    @OptionGroup var place: EditArguments
    @OptionGroup var new: NewFileArguments

    func run() throws {
        try place.edit(image) { (edit) throws(StorageError) in
            let options = try new.options(edit)
            for path in paths { try edit.makeDirectory(path.path, parents: parents, options) }
        }
    }
}

/// `diskgraft mknod IMAGE PATH TYPE [MAJOR MINOR]`.
struct MakeNodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "mknod",
        abstract: "Make a device node, FIFO or socket in the guest.",
        discussion: """
            Types: b (block device), c or u (character device), p (FIFO), s (socket).

            Example:
              diskgraft mknod -m 600 web01.vmdk /dev/console c 5 1
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The node.", valueName: "path"))
    var path: PathArgument

    @Argument(help: ArgumentHelp("b, c, u, p or s.", valueName: "type"))
    var type: String

    @Argument(help: ArgumentHelp("Major and minor number of a device.", valueName: "number"))
    var numbers: [UInt32] = []

    @OptionGroup var place: EditArguments
    @OptionGroup var new: NewFileArguments

    private static let types: [String: FileType] = [
        "b": .blockDevice, "c": .characterDevice, "u": .characterDevice, "p": .fifo, "s": .socket,
    ]

    func validate() throws {
        guard let type = Self.types[type] else {
            throw ValidationError("there is no type \"\(type)\"; there are b, c, u, p and s")
        }
        let isDevice = type == .blockDevice || type == .characterDevice
        guard numbers.count == (isDevice ? 2 : 0) else {
            throw ValidationError("a device has a major and a minor number, and nothing else has one")
        }
    }

    func run() throws {
        guard let type = Self.types[type] else { return }
        let device =
            numbers.count == 2
            ? FileAttributes.DeviceNumber(major: numbers[0], minor: numbers[1]) : nil
        try place.edit(image) { (edit) throws(StorageError) in
            try edit.makeNode(path.path, type: type, device: device, try new.options(edit))
        }
    }
}
