import ArgumentParser
import DiskGraft

/// `diskgraft undo IMAGE`: takes the newest change back.
struct UndoCommand: ParsableCommand, LockHonouring {
    static let configuration = CommandConfiguration(
        subcommand: "undo",
        abstract: "Take the newest change of an image back.",
        discussion: """
            Every change leaves IMAGE.undo: the bytes as they were. They are put back after every changed sector \
            has been compared with what the change wrote; a change that was cut off is rolled back. Where something \
            else has written since, a guest that was started for instance, nothing is put back. --discard keeps the \
            image as it is then. --force loses what was written since, and a file system that was used since is \
            damaged by it: copy the image first. Where there is nothing to take back that is said, and the exit status is 0.

            Example:
              diskgraft undo web01.vmdk
              diskgraft undo --discard web01.vmdk
            """)

    @Argument(help: ArgumentHelp("The disk image.", valueName: "image"))
    var path: String

    @OptionGroup var image: ImageArguments
    @OptionGroup var disks: FurtherDisks
    @OptionGroup var source: SourceArguments

    @Flag(
        help:
            "Put the old bytes back over whatever has been written there since, which is lost: tables and file systems of the result are checked."
    )
    var force = false

    @Flag(
        help:
            "With --force or --discard: even where the image is not the file that was changed, but a copy or another one of its name."
    )
    var otherFile = false

    @Flag(help: "Throw away what takes the newest change back, and leave the image as it is.")
    var discard = false

    func validate() throws {
        guard !force || !discard else { throw ValidationError("--force and --discard exclude each other") }
        guard force || discard || !otherFile else {
            throw ValidationError("--other-file goes with --force or --discard")
        }
    }

    var honoursLocks: Bool { true }

    func run() throws {
        try source.check(diskCount: 1 + disks.with.count)
        if discard { return try throwAway() }
        let result = try GuestUndo.run(
            [path] + disks.with, options: image.options, force: force, otherFile: otherFile)
        if result.files.isEmpty {
            let places = result.missingRecords.map {
                ": there is no \($0.hostBytes.shellText). The undo record of a device lies in the directory that it was changed "
                    + "from, or in the one that --undo-dir named then"
            }
            let names = result.severalNames.map {
                "; \($0.hostBytes.shellText) has several names: where it was changed by another one of them, the record lies beside that"
            }
            Terminal.print("There is nothing to undo\(places.first ?? names.first ?? "").\n")
        }
        for file in result.files {
            let count = result.older.first { $0.file.hostBytes == file.hostBytes }?.count ?? 0
            let sentence =
                switch count {
                case 0: "the newest change was taken back"
                case 1:
                    "holds what it held before the newest change, so there is nothing to take back of it; its undo record is settled"
                default:
                    "holds what it held before the newest \(count) changes, so there is nothing to take back of them; their undo "
                        + "records are settled"
                }
            Terminal.print("\(file.hostBytes.shellText): \(sentence).\n")
        }
        for record in result.keptRecords {
            Terminal.print(
                "\(record.hostBytes.shellText): stays, since that is not the file that was changed; the undo record mends the file "
                    + "that was, wherever it is\n")
        }
        for warning in result.warnings { Terminal.printWarning(warning) }
        for sentence in result.damage {
            Terminal.printError("\(sentence); `diskgraft check` tells all of it")
        }
        if let error = result.unchecked {
            Terminal.printError(
                "the old bytes are back, and only the image's own tables could be checked, not what lies in it: \(error.spelled)"
            )
        }
        if !result.damage.isEmpty || result.unchecked != nil { throw ExitCode(1) }
    }

    private func throwAway() throws {
        let done = try GuestUndo.discard(
            [path] + disks.with, options: image.options, otherFile: otherFile)
        for record in done.records { Terminal.print("\(record.hostBytes.shellText): was thrown away.\n") }
        for record in done.shortened {
            Terminal.print(
                "\(record.hostBytes.shellText): what takes the newest change back was thrown away; the changes before it can still be "
                    + "taken back where it did not touch the same places\n")
        }
        for file in done.unmarked {
            Terminal.print("\(file.hostBytes.shellText): is not marked as half changed any more.\n")
        }
        for record in done.kept {
            Terminal.print(
                "\(record.hostBytes.shellText): stays, since that is not the file that was changed; the undo record mends the file "
                    + "that was, wherever it is, and --other-file throws it away\n")
        }
        for file in done.halfChanged {
            let place = file.offset.map { " (from byte 0x\(String($0, radix: 16)) on)" } ?? ""
            Terminal.printError(
                "\(file.path.hostBytes.shellText): a change was cut off, and this file may be half changed\(place); `diskgraft check` "
                    + "tells what it finds damaged")
        }
        if done.records.isEmpty, done.shortened.isEmpty, done.unmarked.isEmpty, done.kept.isEmpty {
            Terminal.write(Array("There is no undo record.\n".utf8))
        }
    }
}
