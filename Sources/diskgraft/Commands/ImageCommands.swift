import ArgumentParser
import DiskGraft

/// `diskgraft map IMAGE`: where a disk's bytes lie.
struct MapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "map",
        abstract: "Show where a disk's bytes lie in the image.",
        discussion: """
            Example:
              diskgraft map --json web01.qcow2
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var path: String

    @OptionGroup var image: ImageArguments

    @Option(
        name: [.customShort("s"), .long],
        help: ArgumentHelp("Begin at this byte of the disk.", valueName: "size"))
    var startOffset: String?

    @Option(
        name: [.customShort("l"), .long],
        help: ArgumentHelp("Tell of so many bytes at most.", valueName: "size"))
    var maxLength: String?

    @Flag(help: "Print JSON in the schema of qemu-img map --output=json.")
    var json = false

    @OptionGroup var qemu: QEMUOutputArguments

    func run() throws {
        let start = try Self.bytes(startOffset) ?? 0
        let length = try Self.bytes(maxLength)
        let disk = try DiskImage.open(path, options: image.options)
        if json || qemu.output == .json {
            var isFirst = true
            try DiskMap.forEachEntry(of: disk, from: start, length: length) { (entry) throws(StorageError) in
                Terminal.write(Array((isFirst ? "[" : ",\n").utf8) + Self.json(entry))
                isFirst = false
            }
            return Terminal.write(Array((isFirst ? "[]\n" : "]\n").utf8))
        }
        Terminal.write(Array("Offset          Length          Mapped to       File\n".utf8))
        try DiskMap.forEachEntry(of: disk, from: start, length: length) { (entry) throws(StorageError) in
            guard entry.data, !entry.zero else { return }
            let place = entry.offset.map(Self.number) ?? "compressed"
            let row = [entry.start, entry.length].map(Self.number).map(Self.pad).joined()
            let file = entry.file.map(Terminal.name) ?? ""
            let line = entry.file == nil ? row + place : row + Self.pad(place) + file
            Terminal.print(line + "\n")
        }
    }

    private static func bytes(_ text: String?) throws -> UInt64? {
        guard let text else { return nil }
        guard let bytes = SizeText.parse(text) else {
            throw ValidationError("\"\(text)\" is no size; try 512K")
        }
        return bytes
    }

    /// As qemu-img has numbers: in hexadecimal, and 0 without a mark.
    private static func number(_ value: UInt64) -> String { value == 0 ? "0" : value.hex }

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
        subcommand: "compare",
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

    @Flag(name: .customShort("s"), help: "Also find sizes and allocation that differ.")
    var strict = false

    @Flag(name: [.customShort("p"), .customLong("progress")], help: "Show progress.")
    var progress = false

    @OptionGroup var quiet: QuietArguments
    @OptionGroup var sourceCache: SourceCacheArguments

    func run() throws {
        let line = progress && !quiet.quiet ? ProgressLine() : nil
        let result: DiskComparison.Result
        do throws(StorageError) {
            let firstOptions = try image.options
            var options = firstOptions
            options.format = try secondFormat.parsed(ImageFormat.init(named:))
            let images = try DiskImage.open([(first, firstOptions), (second, options)])
            result = try DiskComparison.run(
                images[0].device, images[1].device, isStrict: strict, progress: Self.progress(on: line))
            line?.update(1, 1)
            line?.finish()
            // What differs before the end of the shorter one is told without it.
            let sizes = images.map(\.byteCount)
            if sizes[0] != sizes[1], !quiet.quiet, result.reaches(sizes.min() ?? 0) {
                Terminal.write(Array("Warning: Image size mismatch!\n".utf8))
            }
        } catch {
            guard !error.isCancellation else { throw error }
            Terminal.printError(error.spelled)
            throw ExitCode(error.kind == .misuse ? ExitStatus.usage.rawValue : 2)
        }
        let sentence =
            switch result {
            case .same: "Images are identical."
            case .differ(let offset): "Content mismatch at offset \(offset)!"
            case .sizesDiffer: "Strict mode: Image size mismatch!"
            case .allocationDiffers(let offset): "Strict mode: Offset \(offset) block status mismatch!"
            }
        if !quiet.quiet { Terminal.write(Array((sentence + "\n").utf8)) }
        guard case .same = result else { throw ExitCode(1) }
    }
}

extension DiskComparison.Result {
    /// All bytes before that place were found to be the same.
    fileprivate func reaches(_ place: UInt64) -> Bool {
        switch self {
        case .same: true
        case .differ(let offset): offset >= place / 512 * 512
        case .sizesDiffer, .allocationDiffers: false
        }
    }
}

extension CompareCommand {
    private static func progress(on line: ProgressLine?) -> DiskComparison.Progress? {
        guard let line else { return nil }
        return { done, total in line.update(done, total) }
    }
}

/// `diskgraft create -f FORMAT FILE SIZE`.
struct CreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "create",
        abstract: "Make an empty disk image, or a child of another.",
        discussion: """
            SIZE takes K, M, G and T. With -b and no SIZE the child is as large as its parent. PARENT is a path from \
            FILE's directory, as qemu-img takes it, or from the working directory.

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
        name: [.customShort("F"), .customLong("backing-format")],
        help: ArgumentHelp("The parent's format; without it, exactly one must match.", valueName: "format"))
    var parentFormat: String?

    @Flag(
        name: .customShort("u"),
        help: "Name the parent without looking at it, whether or not it is there; SIZE is needed (qcow2).")
    var unsafeParent = false

    @OptionGroup var quiet: QuietArguments

    @Option(
        help: ArgumentHelp(
            "Lay the image out for: azure (a fixed VHD of whole MiB).", valueName: "profile"))
    var profile: String?

    @Argument(help: ArgumentHelp("The image to make.", valueName: "file"))
    var path: String

    @Argument(help: ArgumentHelp("The disk's size.", valueName: "size"))
    var size: String?

    func run() throws {
        if CreateOptionsHelp.isAsked(optionTexts) {
            return try printCreateOptions(format: format, path: path)
        }
        // qemu-img takes these as options too.
        var options = try parseOptions(optionTexts)
        let parent = try Self.take("backing_file", from: &options, beside: parent, "-b")
        let parentFormat = try Self.take("backing_fmt", from: &options, beside: parentFormat, "-F")
        let size = try Self.take("size", from: &options, beside: size, "SIZE")
        guard parent != nil || (parentFormat == nil && !unsafeParent) else {
            throw ValidationError("-F and -u are about the parent that -b names")
        }
        let byteCount = try size.map { text in
            guard let bytes = SizeText.parse(text) else {
                throw ValidationError("\"\(text)\" is no size; try 512M or 40G")
            }
            return bytes
        }
        var creation = DiskCreation(
            format: try format.parsed(ImageFormat.init(named:)) ?? (profile == nil ? nil : .vhd),
            options: options + profileOption(profile), parent: parent)
        creation.parentFormat = try parentFormat.parsed(ImageFormat.init(named:))
        creation.trustsParent = unsafeParent
        for warning in DiskImage.replacementWarnings(path) { Terminal.printWarning(warning) }
        let made = try creation.run(path, byteCount: byteCount)
        if !quiet.quiet {
            Terminal.print("Formatting '\(Terminal.name(path))', fmt=\(made.format) size=\(made.byteCount)\n")
        }
    }

    /// The last value of an option that is an argument too, and that is no option of the format then.
    private static func take(
        _ key: String, from options: inout [(key: String, value: String)], beside argument: String?,
        _ name: String
    ) throws -> String? {
        guard let value = options.last(where: { $0.key == key })?.value else { return argument }
        options.removeAll { $0.key == key }
        guard argument == nil || argument == value else {
            throw ValidationError("\(name) and the option \(key) say two things")
        }
        return value
    }
}
