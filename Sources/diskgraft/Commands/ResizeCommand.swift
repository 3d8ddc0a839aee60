import ArgumentParser
import DiskGraft

/// `diskgraft resize IMAGE SIZE`: a longer disk, in place.
struct ResizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        subcommand: "resize",
        abstract: "Make the disk in an image longer or shorter, in place.",
        discussion: """
            SIZE is the new size, or with + or - what is added or taken away; it takes K, M, G and T. The new part reads \
            as zeros; partitions and file systems stay as they are. IMAGE.undo takes it back. With --shrink a disk \
            becomes shorter where nothing lives behind its new end.

            Example:
              diskgraft resize web01.vhdx +20G
              diskgraft check --repair gpt web01.vhdx
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var path: String

    @Argument(help: ArgumentHelp("The new size, or +SIZE.", valueName: "size"))
    var size: String

    @OptionGroup var image: ImageArguments
    @OptionGroup var tracking: TrackingArguments

    @Flag(
        help:
            "Make the disk shorter where no partition, file system or other bytes lie behind the new end (raw, qcow2)."
    )
    var shrink = false

    @Option(
        help: ArgumentHelp("Taken as qemu-img does: off, because nothing else is built.", valueName: "mode"))
    var preallocation: String?

    @OptionGroup var quiet: QuietArguments

    func validate() throws {
        guard let preallocation, preallocation != "off" else { return }
        throw ValidationError(
            "--preallocation takes off, because nothing else is built, not \"\(preallocation)\"")
    }

    func run() throws {
        let sign = size.first.flatMap { ["+": 1, "-": -1, "\u{2212}": -1][$0] } ?? 0
        guard let bytes = SizeText.parse(sign == 0 ? size : String(size.dropFirst())) else {
            throw ValidationError("\"\(size)\" is no size; try 60G or +20G")
        }
        let wanted: DiskResize.Size = sign == 0 ? .to(bytes) : sign > 0 ? .by(bytes) : .less(bytes)
        let result = try DiskResize.run(path, wanted, options: tracking.options(image), mayShrink: shrink)
        guard !quiet.quiet else { return }
        guard result.newSize != result.oldSize else {
            return Terminal.write(Array("The disk has that size already.\n".utf8))
        }
        for note in result.notes { Terminal.printWarning("\(path.hostBytes.shellText): \(note)") }
        if result.hasBackupTableInside {
            Terminal.printWarning(
                "\(path.hostBytes.shellText): the GPT's backup lies where the disk used to end; "
                    + "`diskgraft check --repair gpt \(path.hostBytes.shellText)` moves it")
        }
        Terminal.print(
            "\(SizeText.long(result.oldSize)) → \(SizeText.long(result.newSize)); `diskgraft undo \(Terminal.name(path))` takes it "
                + "back\n")
    }
}
