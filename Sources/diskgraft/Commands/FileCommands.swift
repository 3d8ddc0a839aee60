import ArgumentParser
import DiskGraft
import Storage

/// Where the files are that a command reads.
struct FileArguments: ParsableArguments {
    @OptionGroup var image: ImageArguments
    @OptionGroup var disks: FurtherDisks

    @Option(
        help: ArgumentHelp(
            "Read this volume alone (p2, 2:p1, VG/LV); without it, the guest's own tree.", valueName: "volume"
        ))
    var volume: String?

    func open(_ path: String) throws -> GuestFiles {
        let guest = try Guest.open([path] + disks.with, options: image.options)
        for warning in guest.warnings { Terminal.printWarning(warning) }
        return try guest.files(volume: volume)
    }
}

/// `diskgraft ls IMAGE [PATH]`.
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List a directory of the guest.",
        discussion: """
            Example:
              diskgraft ls web01.vmdk /boot/grub
              diskgraft ls web01.vmdk --volume p1
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The directory or file; the root without it.", valueName: "path"))
    var path: String = "/"

    @OptionGroup var place: FileArguments

    func run() throws {
        let files = try place.open(image)
        let file = try files.find(Array(path.utf8))
        guard file.attributes.type == .directory else {
            return Terminal.write(Array(path.utf8) + [UInt8(ascii: "\n")])
        }
        var output: [UInt8] = []
        for entry in try files.entries(of: file) { output += entry.name + [UInt8(ascii: "\n")] }
        Terminal.write(output)
    }
}

/// `diskgraft cat IMAGE PATH`.
struct CatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat",
        abstract: "Print a file of the guest.",
        discussion: """
            Example:
              diskgraft cat web01.vmdk /etc/fstab
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var image: String

    @Argument(help: ArgumentHelp("The file.", valueName: "path"))
    var path: String

    @OptionGroup var place: FileArguments

    func run() throws {
        let files = try place.open(image)
        try files.read(try files.find(Array(path.utf8))) { Terminal.write($0) }
    }
}
