import ArgumentParser
import DiskGraft
import Storage

/// `diskgraft convert SRC DST`: flags as qemu-img has them.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Copy a disk image into another format.",
        discussion: """
            DST appears only when it is complete. Without -O its suffix decides the format.

            Example:
              diskgraft convert -p web01.vmdk web01.qcow2
              diskgraft convert -O vmdk -o subformat=vmfs disk.img disk.vmdk
            """)

    @Argument(help: ArgumentHelp("The image to copy.", valueName: "src"))
    var source: String

    @Argument(help: ArgumentHelp("The image to make.", valueName: "dst"))
    var destination: String

    @OptionGroup var image: ImageArguments

    @Option(
        name: [.customShort("O"), .customLong("output-format")],
        help: "The format to make: raw, vhd (or vpc), vhdx, vmdk, vdi, qcow2.")
    var outputFormat: String?

    @Option(
        name: [.customShort("o"), .customLong("output-option")],
        help: ArgumentHelp("Options of that format, as qemu-img names them.", valueName: "key=value,…"))
    var outputOptions: [String] = []

    @Option(
        help: ArgumentHelp(
            "Lay the image out for: azure (a fixed VHD of whole MiB).", valueName: "profile"))
    var profile: String?

    @Flag(
        help:
            "Copy a disk of 4096-byte sectors into a format of 512-byte ones; its partition table will not fit."
    )
    var force = false

    @Flag(name: [.customShort("p"), .customLong("progress")], help: "Show progress.")
    var progress = false

    func run() throws {
        let disk = try DiskImage.open(source, options: image.options)
        for warning in disk.warnings + disk.childWarnings { Terminal.printWarning(warning) }
        let line = progress ? ProgressLine() : nil
        var conversion = DiskConversion(
            format: outputFormat ?? (profile == nil ? nil : "vhd"),
            options: try parseOptions(outputOptions) + profileOption(profile))
        conversion.ignoresSectorSize = force
        if let line { conversion.progress = { line.update($0, $1) } }
        try conversion.run(from: disk.device, to: destination, protected: disk.device.hostFiles)
        line?.finish()
    }
}

/// `--profile` as the option that VHD has for it.
func profileOption(_ profile: String?) -> [(key: String, value: String)] {
    profile.map { [(key: "profile", value: $0)] } ?? []
}

/// `key=value,key=value`, any number of times; a key alone means "on".
func parseOptions(_ texts: [String]) throws(StorageError) -> [(key: String, value: String)] {
    var result: [(key: String, value: String)] = []
    for text in texts.flatMap({ $0.split(separator: ",") }) {
        guard let equals = text.firstIndex(of: "=") else {
            result.append((String(text), "on"))
            continue
        }
        result.append((String(text[..<equals]), String(text[text.index(after: equals)...])))
    }
    return result
}
