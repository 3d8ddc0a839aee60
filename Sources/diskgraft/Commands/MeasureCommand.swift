import ArgumentParser
import DiskGraft

/// `diskgraft measure`: how large a copy becomes.
struct MeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "measure",
        abstract: "Work out how large a file a conversion makes (raw, qcow2).",
        discussion: """
            Example:
              diskgraft measure -O qcow2 web01.vmdk
              diskgraft measure -O qcow2 --size 40G
            """)

    @Argument(help: ArgumentHelp("The image that would be copied.", valueName: "image"))
    var path: String?

    @OptionGroup var image: ImageArguments
    @OptionGroup var qemu: QEMUOutputArguments

    @Flag(help: "Print JSON, the same as --output=json.")
    var json = false

    @Option(help: ArgumentHelp("Instead of an image: an empty disk of so many bytes.", valueName: "size"))
    var size: String?

    @Option(
        name: [.customShort("O"), .customLong("output-format")], help: "The format to make: raw or qcow2.")
    var outputFormat = ImageFormat.raw.rawValue

    @Option(
        name: [.customShort("o"), .customLong("output-option")],
        help: ArgumentHelp("Options of that format, as qemu-img names them.", valueName: "key=value,…"))
    var outputOptions: [String] = []

    func validate() throws {
        guard (path == nil) != (size == nil) else {
            throw ValidationError("give an image or --size, one of them")
        }
    }

    func run() throws {
        let options = try parseOptions(outputOptions)
        let format = try ImageFormat(named: outputFormat)
        let result: DiskMeasurement
        if let path {
            let image = try DiskImage.open(path, options: image.options)
            result = try DiskMeasurement.run(image, format: format, options: options)
        } else {
            guard let bytes = SizeText.parse(size ?? "") else {
                throw ValidationError("\"\(size ?? "")\" is no size; try 40G")
            }
            result = try DiskMeasurement.run(byteCount: bytes, format: format, options: options)
        }
        if json || qemu.output == .json { return try JSONOutput.print(result) }
        var text = "required size: \(result.required)\nfully allocated size: \(result.fullyAllocated)\n"
        if let bitmaps = result.bitmaps { text += "bitmaps size: \(bitmaps)\n" }
        Terminal.write(Array(text.utf8))
    }
}
