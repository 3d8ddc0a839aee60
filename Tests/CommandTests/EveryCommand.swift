import Foundation
import TestSupport
import Testing
@_spi(Testing) import Undo

/// Every command with arguments that make it work on a guest: what holds for all commands is tested over this table, and one
/// without a row fails (`EveryCommandTests.noCommandIsWithoutARow`).
struct CommandForm: CustomStringConvertible, Sendable {
    /// The command line: IMAGE, SAME (the same disk once more), SOURCE, ARCHIVE, OUT (what is not there yet) stand for paths.
    let words: [String]
    /// Whether it changes IMAGE.
    let writes: Bool

    var description: String { words.joined(separator: " ") }
    var command: String { words[0] }

    private init(_ line: String, writes: Bool) {
        words = line.split(separator: " ").map(String.init)
        self.writes = writes
    }

    static let reading = [
        "migrate IMAGE OUT --to kvm -O raw", "convert IMAGE OUT.qcow2", "convert --salvage IMAGE OUT.vhdx",
        "info IMAGE", "info --json IMAGE", "inspect IMAGE", "plan IMAGE --to kvm", "ls -R IMAGE /",
        "cat IMAGE /d/file", "map IMAGE", "create -f qcow2 -b IMAGE OUT.qcow2", "compare IMAGE SAME",
        "check IMAGE", "measure -O qcow2 IMAGE", "get IMAGE /d OUT", "stat IMAGE /d/file",
        "initramfs IMAGE /d/initrd", "find IMAGE /", "tar IMAGE /d", "xattr IMAGE /d/file",
        "label IMAGE --volume p3",
    ].map { CommandForm($0, writes: false) }

    static let writing = [
        "put IMAGE SOURCE /x", "mkdir IMAGE /x", "rm -r IMAGE /d", "rmdir IMAGE /d/sub",
        "mv IMAGE /d/file /x", "ln IMAGE /d/file /d/other", "ln -s IMAGE target /x", "mknod IMAGE /x p",
        "chmod IMAGE 600 /d/file", "chown IMAGE 1 /d/file", "xattr IMAGE /d/file --set user.a=b",
        "label IMAGE L --volume p3", "untar IMAGE ARCHIVE /d", "edit IMAGE /d/file", "resize IMAGE +1M",
        "resize --shrink IMAGE -512", "patch IMAGE --to kvm", "check --repair gpt IMAGE",
        "check --repair leaks IMAGE", "check -r leaks IMAGE", "undo IMAGE", "undo --force IMAGE",
        "undo --force --other-file IMAGE", "undo --discard IMAGE", "undo --discard --other-file IMAGE",
    ].map { CommandForm($0, writes: true) }

    static let all = reading + writing

    /// The command line in a place.
    func arguments(_ place: CommandPlace, image: String? = nil) -> [String] {
        words.map { word in
            let parts = word.split(separator: ".", maxSplits: 1).map(String.init)
            let suffix = parts.count > 1 ? "." + parts[1] : ""
            switch parts.first {
            case "IMAGE": return image ?? place.image
            case "SAME": return place.same
            case "SOURCE": return place.source
            case "ARCHIVE": return place.archive
            case "OUT": return place.out + suffix
            default: return word
            }
        }
    }

    /// The flags of the command that stand alone, by its help.
    static func flags(of command: String) throws -> [String] {
        let help = try Fixture.diskgraft(command, "--help").text
        return help.split(separator: "\n").compactMap { line -> String? in
            guard line.hasPrefix("  -") else { return nil }
            // "  -x, --name  What it does", and no value behind the name.
            let head = line.dropFirst(2).components(separatedBy: "  ")[0]
            guard !head.contains("<"), let flag = head.split(separator: " ").last else { return nil }
            return flag.split(separator: "/").first.map(String.init)
        }.filter { !["--help", "--version"].contains($0) }
    }
}

/// A guest in a directory of its own, changed once, so that it has a record.
struct CommandPlace {
    let directory: TemporaryDirectory
    let image: String
    let same: String
    let source: String
    let archive: String
    var out: String { directory.path("out") }

    /// Made once, and copied for each.
    private static let model: Result<CommandPlace, any Error> = Result { try CommandPlace(making: ()) }

    private init(in directory: TemporaryDirectory) {
        self.directory = directory
        image = directory.path("guest.img")
        same = directory.path("same.img")
        source = directory.path("source")
        archive = directory.path("archive.tar")
    }

    private init(making: Void) throws {
        self.init(in: try TemporaryDirectory())
        // As small as the script makes it.
        _ = try Fixture.guest(in: directory)
        _ = try directory.write("source", "new\n")
        // An archive of nothing but its end, as cpio has it.
        let end = "070701" + String(repeating: "0", count: 39) + "1" + String(repeating: "0", count: 56)
        let initrd = try directory.write(
            "initrd", end.prefix(94) + "0000000B00000000TRAILER!!!\0\0\0\0")
        try Tool.run("tar", ["-cf", archive, "-C", directory.root, "source"])
        for command in [
            ["mkdir", "-p", image, "/d/sub"], ["put", image, source, "/d/file"],
            ["put", image, initrd, "/d/initrd"],
        ] {
            try Tool.run(Fixture.command, command)
        }
    }

    init() throws {
        let model = try Self.model.get()
        self.init(in: try TemporaryDirectory())
        for (from, to) in [(model.image, image), (model.source, source), (model.archive, archive)] {
            try Tool.run("cp", ["--sparse=always", from, to])
        }
        try Tool.run(Fixture.command, ["chmod", image, "640", "/d/file"])
        for path in [image, image + ".undo"] {
            try Tool.run("cp", ["--sparse=always", path, path + ".before"])
        }
        try FileManager.default.createSymbolicLink(atPath: same, withDestinationPath: image + ".before")
    }

    /// Whether image and record are as they were.
    func isAsBefore() throws -> Bool {
        try [image, image + ".undo"].allSatisfy {
            try Tool.run("cmp", ["-s", $0, $0 + ".before"], expect: nil).status == 0
        }
    }

    func clearOutput() throws {
        try Tool.run("bash", ["-c", "rm -rf \"$0\"*", out])
    }

    /// Changes the image once more, takes that for cut off, and writes where it was changed, as something else would.
    func changeHalf() throws {
        let before = try fileBytes(image)
        try Tool.run(Fixture.command, ["chmod", image, "604", "/d/file"])
        let after = try fileBytes(image)
        let place = try #require(before.indices.first { before[$0] != after[$0] })
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: image))
        try file.seek(toOffset: UInt64(place))
        try file.write(contentsOf: Data([before[place] ^ after[place] ^ 0xff]))
        try file.close()
        try UndoRecord.setState(.hot, ofRecord: image + ".undo")
        for path in [image, image + ".undo"] {
            try Tool.run("cp", ["--sparse=always", path, path + ".before"])
        }
    }
}
