import ArgumentParser
import DiskGraft

/// `diskgraft resize IMAGE SIZE`: a longer disk, in place.
struct ResizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resize",
        abstract: "Make the disk in an image longer, in place.",
        discussion: """
            SIZE is the new size, or with a + what is added; it takes K, M, G and T. The new part reads as zeros; \
            partitions and file systems stay as they are. IMAGE.undo takes it back. Disks are not made shorter.

            Example:
              diskgraft resize web01.vhdx +20G
              diskgraft check --repair gpt web01.vhdx
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var path: String

    @Argument(help: ArgumentHelp("The new size, or +SIZE.", valueName: "size"))
    var size: String

    @OptionGroup var image: ImageArguments

    func run() throws {
        let isRelative = size.hasPrefix("+")
        guard let bytes = SizeText.parse(isRelative ? String(size.dropFirst()) : size) else {
            throw ValidationError("\"\(size)\" is no size; try 60G or +20G")
        }
        let result = try DiskResize.run(path, isRelative ? .by(bytes) : .to(bytes), options: image.options)
        guard result.newSize > result.oldSize else {
            return Terminal.write(Array("The disk has that size already.\n".utf8))
        }
        for note in result.notes { Terminal.printWarning("\(path): \(note)") }
        Terminal.write(
            Array(
                "\(SizeText.long(result.oldSize)) → \(SizeText.long(result.newSize)); `diskgraft undo \(path)` takes it back\n"
                    .utf8))
    }
}
