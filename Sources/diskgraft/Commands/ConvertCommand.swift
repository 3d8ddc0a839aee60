import ArgumentParser
import DiskGraft

/// `diskgraft convert SRC DST`: flags as qemu-img has them.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "convert",
        abstract: "Copy a disk image into another format.",
        discussion: """
            DST appears only when it is complete. Without -O its suffix decides the format. Several images become one disk, \
            one behind the other.

            Example:
              diskgraft convert -p web01.vmdk web01.qcow2
              diskgraft convert part1.img part2.img whole.qcow2
              diskgraft convert -O vmdk -o subformat=vmfs disk.img disk.vmdk
            """)

    @Argument(
        help: ArgumentHelp("The image to copy, or several; then the image to make.", valueName: "src> <dst"))
    var paths: [String]

    @OptionGroup var image: ImageArguments

    @Option(
        name: [.customShort("O"), .customLong("output-format")],
        help:
            "The format to make: \(ImageFormat.madeNames); or an archive of a machine: \(ApplianceFormat.names)."
    )
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

    @Flag(help: "Read what is left of a damaged or cut-off image; the rest becomes zeros, and is listed.")
    var salvage = false

    @Flag(name: [.customShort("p"), .customLong("progress")], help: "Show progress.")
    var progress = false

    @OptionGroup var quiet: QuietArguments
    @OptionGroup var tuning: QEMUTuning

    private var sources: [String] { Array(paths.dropLast()) }
    private var destination: String { paths.last ?? "" }

    func validate() throws {
        if paths.count == 1, !CreateOptionsHelp.isAsked(outputOptions) {
            throw ValidationError("give the image to copy, and the image to make")
        }
    }

    func run() throws {
        if CreateOptionsHelp.isAsked(outputOptions) {
            return try printCreateOptions(format: outputFormat, path: destination)
        }
        do {
            try convert()
        } catch var error as StorageError {
            let isDamage = error.kind == .corrupt || error.kind == .io && error.errno == nil
            if isDamage, !salvage, !error.isCancellation, !error.remedies.contains(.salvage), canBeSalvaged {
                error.remedies.append(.salvage)
            }
            throw error
        }
    }

    /// Whether the source can be opened at all: what a digest speaks against, or an archive that is cut off, cannot.
    private var canBeSalvaged: Bool {
        guard ApplianceFormat.chosen(outputFormat, for: destination) == nil, var options = try? image.options
        else {
            return false
        }
        options.salvages = true
        return (try? DiskImage.open(sources.map { ($0, options) })) != nil
    }

    /// A machine with all disks that the source describes.
    private func pack(_ appliance: ApplianceFormat) throws {
        guard !salvage, profile == nil else {
            throw ValidationError("--salvage and --profile are for a disk, not for an archive of a machine")
        }
        guard let source = sources.first, sources.count == 1 else {
            throw ValidationError(
                "an archive of a machine is made of one image, or of a description with its disks")
        }
        let guest = try Guest.open([source], options: image.options)
        if !quiet.quiet {
            for warning in guest.warnings + DiskImage.replacementWarnings(destination) {
                Terminal.printWarning(warning)
            }
        }
        let line = progress && !quiet.quiet ? ProgressLine() : nil
        var conversion = DiskConversion(options: try parseOptions(outputOptions))
        conversion.ignoresSectorSize = force
        if let line { conversion.progress = { line.update($0, $1) } }
        if let workers = tuning.workers { conversion.workers = workers }
        var migration = GuestMigration(conversion: conversion)
        migration.appliance = appliance
        _ = try migration.copy(guest, to: destination)
        line?.finish()
    }

    private func convert() throws {
        if let appliance = ApplianceFormat.chosen(outputFormat, for: destination) {
            return try pack(appliance)
        }
        var options = try image.options
        options.salvages = salvage
        let disks = try DiskImage.open(sources.map { ($0, options) })
        if !quiet.quiet {
            for disk in disks {
                // A table of one of several is the new disk's only by chance.
                let ofTable = disks.count == 1 ? try disk.tableWarnings() : []
                for warning in disk.warnings + disk.childWarnings + ofTable { Terminal.printWarning(warning) }
            }
            for warning in DiskImage.replacementWarnings(destination) { Terminal.printWarning(warning) }
        }
        let line = progress && !quiet.quiet ? ProgressLine() : nil
        var conversion = DiskConversion(
            format: try outputFormat.parsed(ImageFormat.init(named:)) ?? (profile == nil ? nil : .vhd),
            options: try parseOptions(outputOptions) + profileOption(profile))
        conversion.ignoresSectorSize = force
        if let line { conversion.progress = { line.update($0, $1) } }
        if let workers = tuning.workers { conversion.workers = workers }
        let device = try DiskImage.joined(disks)
        let rescue = salvage ? DiskSalvage(device) : nil
        try conversion.run(
            from: rescue ?? device, to: destination, protected: disks.flatMap(\.sourceFiles))
        line?.finish()
        if let rescue { printLost(rescue) }
    }

    /// Ranges that are listed one by one.
    private static let listedLimit = 100

    private func printLost(_ rescue: DiskSalvage) {
        let lost = rescue.lostRanges
        guard !lost.isEmpty else { return }
        let bytes = lost.reduce(0) { $0 + UInt64($1.count) }
        Terminal.printWarning(
            "\(sources.joined(separator: ", ")): \(SizeText.long(bytes)) of the disk are lost and are zeros in the copy, in "
                + "\(lost.count == 1 ? "one range" : "\(lost.count) ranges"):")
        for range in lost.prefix(Self.listedLimit) {
            Terminal.printWarning("  bytes \(range.lowerBound) to \(range.upperBound - 1)")
        }
        if lost.count > Self.listedLimit {
            Terminal.printWarning("  and \(lost.count - Self.listedLimit) ranges more")
        }
    }
}

/// The options that `-o` takes for a format.
func printCreateOptions(format: String?, path: String) throws {
    var table = TextTable(indentation: 2)
    for option in try CreateOptionHelp.of(format: try format.parsed(ImageFormat.init(named:)), path: path) {
        table.add("\(option.name)=", option.meaning)
    }
    Terminal.print("Supported options:\n" + (table.text.isEmpty ? "  (none)\n" : table.text))
}

/// `--profile` as the option that VHD has for it.
func profileOption(_ profile: String?) -> [(key: String, value: String)] {
    profile.map { [(key: "profile", value: $0)] } ?? []
}

/// `key=value,key=value`, any number of times; a key alone means "on".
func parseOptions(_ texts: [String]) throws(ValidationError) -> [(key: String, value: String)] {
    var result: [(key: String, value: String)] = []
    for text in texts.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
        // A shell's variable that is not set is no list of options.
        guard !text.isEmpty else {
            throw ValidationError("-o takes key=value, and more behind commas; there is an empty one")
        }
        guard let equals = text.firstIndex(of: "=") else {
            result.append((String(text), "on"))
            continue
        }
        result.append((String(text[..<equals]), String(text[text.index(after: equals)...])))
    }
    return result
}
