import ArgumentParser
import DiskGraft

/// What every command that opens an image takes.
struct ImageArguments: ParsableArguments {
    @Option(
        name: [.customShort("f"), .customLong("format")],
        help: "The image's format; without it, exactly one must match.")
    var format: String?

    @Flag(
        name: [.customShort("U"), .customLong("force-share")],
        help: "Read an image that a virtual machine is writing to.")
    var forceShare = false

    @Flag(help: "Open files that the image names when they are regular files beside it.")
    var allowSiblings = false

    @Option(help: ArgumentHelp("Use FILE as the image's parent or backing file.", valueName: "file"))
    var parent: String?

    var options: ImageOptions {
        ImageOptions(
            format: format, ignoresLocks: forceShare, allowsSiblings: allowSiblings, parent: parent)
    }
}

/// Further disks of the same guest.
struct FurtherDisks: ParsableArguments {
    @Option(
        name: .customLong("with"), parsing: .singleValue,
        help: ArgumentHelp("A further disk of the same guest; may be repeated.", valueName: "image"))
    var with: [String] = []
}
