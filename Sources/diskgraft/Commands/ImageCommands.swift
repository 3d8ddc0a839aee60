import ArgumentParser
import DiskGraft

/// `diskgraft map IMAGE`: where a disk's bytes lie.
struct MapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map",
        abstract: "Show where a disk's bytes lie in the image.",
        discussion: """
            Example:
              diskgraft map --json web01.qcow2
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var path: String

    @OptionGroup var image: ImageArguments

    @Flag(help: "Print JSON in the schema of qemu-img map --output=json.")
    var json = false

    func run() throws {
        let disk = try DiskImage.open(path, options: image.options)
        if json {
            var isFirst = true
            try DiskMap.forEachEntry(of: disk) { (entry) throws(StorageError) in
                Terminal.write(Array((isFirst ? "[" : ",\n").utf8) + Self.json(entry))
                isFirst = false
            }
            return Terminal.write(Array((isFirst ? "[]\n" : "]\n").utf8))
        }
        Terminal.write(Array("Offset          Length          Mapped to\n".utf8))
        try DiskMap.forEachEntry(of: disk) { (entry) throws(StorageError) in
            guard entry.data else { return }
            let place = entry.offset.map { $0.hex } ?? "compressed"
            Terminal.write(Array("\(Self.pad(entry.start.hex))\(Self.pad(entry.length.hex))\(place)\n".utf8))
        }
    }

    private static func pad(_ text: String) -> String {
        text + String(repeating: " ", count: max(16 - text.count, 1))
    }

    private static func json(_ entry: DiskMap.Entry) -> [UInt8] {
        let offset = entry.offset.map { ", \"offset\": \($0)" } ?? ""
        return Array(
            ("{ \"start\": \(entry.start), \"length\": \(entry.length), \"depth\": \(entry.depth), "
                + "\"present\": \(entry.present), \"zero\": \(entry.zero), \"data\": \(entry.data), "
                + "\"compressed\": \(entry.compressed)\(offset)}").utf8)
    }
}

/// `diskgraft compare A B`: exits 0 when the guest disks are the same, 1 when they differ, 2 on an error.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare the guest disks of two images of any format.",
        discussion: """
            Exits 0 when they are the same, 1 when they differ, 2 on an error.

            Example:
              diskgraft compare web01.vmdk web01.vhd
            """)

    @Argument(help: ArgumentHelp("One image.", valueName: "a"))
    var first: String

    @Argument(help: ArgumentHelp("The other.", valueName: "b"))
    var second: String

    @OptionGroup var image: ImageArguments

    @Option(name: [.customShort("F"), .customLong("second-format")], help: "The second image's format.")
    var secondFormat: String?

    func run() throws {
        let result: DiskComparison.Result
        do throws(StorageError) {
            let a = try DiskImage.open(first, options: image.options)
            var options = image.options
            options.format = secondFormat
            let b = try DiskImage.open(second, options: options)
            result = try DiskComparison.run(a.device, b.device)
        } catch {
            guard !error.isCancellation else { throw error }
            Terminal.printError(error.spelled)
            throw ExitCode(error.kind == .misuse ? ExitStatus.usage.rawValue : 2)
        }
        switch result {
        case .same:
            Terminal.write(Array("Images are identical.\n".utf8))
        case .differ(let offset):
            Terminal.write(Array("Content mismatch at offset \(offset)!\n".utf8))
            throw ExitCode(1)
        }
    }
}

/// `diskgraft create -f FORMAT FILE SIZE`.
struct CreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make an empty disk image, or a child of another.",
        discussion: """
            SIZE takes K, M, G and T. With -b and no SIZE the child is as large as its parent.

            Example:
              diskgraft create -f vhd disk.vhd 40G
              diskgraft create -f vhd -b base.vhd child.vhd
            """)

    @Option(
        name: [.customShort("f"), .customLong("format")],
        help: "The format to make; without it, FILE's suffix.")
    var format: String?

    @Option(
        name: [.customShort("o"), .customLong("option")],
        help: ArgumentHelp("Options of the format.", valueName: "key=value,…"))
    var optionTexts: [String] = []

    @Option(
        name: [.customShort("b"), .customLong("backing")],
        help: ArgumentHelp("Make a child of this image.", valueName: "parent"))
    var parent: String?

    @Option(
        help: ArgumentHelp(
            "Lay the image out for: azure (a fixed VHD of whole MiB).", valueName: "profile"))
    var profile: String?

    @Argument(help: ArgumentHelp("The image to make.", valueName: "file"))
    var path: String

    @Argument(help: ArgumentHelp("The disk's size.", valueName: "size"))
    var size: String?

    func run() throws {
        let byteCount = try size.map { text in
            guard let bytes = SizeText.parse(text) else {
                throw ValidationError("\"\(text)\" is no size; try 512M or 40G")
            }
            return bytes
        }
        try DiskCreation(
            format: format ?? (profile == nil ? nil : "vhd"),
            options: try parseOptions(optionTexts) + profileOption(profile), parent: parent
        ).run(path, byteCount: byteCount)
    }
}
