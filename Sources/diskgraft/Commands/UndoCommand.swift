import ArgumentParser
import DiskGraft
import Storage

/// `diskgraft undo IMAGE`: takes the newest change back.
struct UndoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Take the newest change of an image back.",
        discussion: """
            Every change leaves IMAGE.undo: the bytes as they were. They are put back after every changed range \
            has been compared with what the change wrote; a change that was cut off is rolled back.

            Example:
              diskgraft undo web01.vmdk
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var path: String

    @OptionGroup var image: ImageArguments
    @OptionGroup var disks: FurtherDisks
    @OptionGroup var source: SourceArguments

    func run() throws {
        try source.check(diskCount: 1 + disks.with.count)
        let result = try GuestUndo.run([path] + disks.with, options: image.options)
        if result.files.isEmpty {
            Terminal.write(Array("There is nothing to undo.\n".utf8))
        }
        for file in result.files {
            Terminal.write(Array("\(file): the newest change was taken back.\n".utf8))
        }
    }
}
