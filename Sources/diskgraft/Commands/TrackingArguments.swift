import ArgumentParser
import DiskGraft

/// What a command that changes images may end in them.
struct TrackingArguments: ParsableArguments {
    @Flag(
        name: .customLong("drop-cbt"),
        help:
            "Turn a VMDK's changed block tracking off, which a change from outside makes wrong; the next backup is a full one."
    )
    var dropsChangeTracking = false

    @Flag(help: "Change an image though others beside it are its children (snapshots), and break.")
    var despiteChildren = false

    /// The options of images that are to be changed.
    func options(_ image: ImageArguments) throws(StorageError) -> ImageOptions {
        var options = try image.options
        options.dropsChangeTracking = dropsChangeTracking
        options.changesParents = despiteChildren
        return options
    }
}
