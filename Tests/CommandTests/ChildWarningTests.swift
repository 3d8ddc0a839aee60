import Foundation
import TestSupport
import Testing

/// An image that another one beside it has for its parent: it is changed where that is asked for, and what becomes of the other
/// one is said.
@Suite(.enabled(if: Tool.has("qemu-img", "mke2fs", "debugfs"), "judges are missing"))
struct ChildWarningTests {
    private static let formats = ["qcow2", "vmdk", "vhd", "vhdx", "vdi"]

    /// A file system in an image of a format, and a child beside it.
    private struct Family {
        let directory: TemporaryDirectory
        let parent: String
        let file: String

        init(_ format: String) throws {
            directory = try TemporaryDirectory()
            let raw = try directory.sparse("raw.img", byteCount: 16 << 20)
            try Tool.run("mke2fs", ["-q", "-F"] + EditCommandTests.ext4 + [raw])
            parent = directory.path("parent." + format)
            try Fixture.diskgraft("convert", "-O", format, raw, parent)
            try FileManager.default.removeItem(atPath: raw)
            let child = directory.path("child." + format)
            if format == "vmdk" {
                try Tool.run(
                    "qemu-img", ["create", "-q", "-f", "vmdk", "-b", "parent.vmdk", "-F", "vmdk", child],
                    directory: directory.root)
            } else {
                try Fixture.diskgraft(
                    "create", "-f", format, "-b", "parent." + format, child, directory: directory.root)
            }
            file = try directory.write("file", "text\n")
        }
    }

    @Test(arguments: formats) func everyWritingCommandSaysIt(_ format: String) throws {
        let family = try Family(format)
        let (image, file) = (family.parent, family.file)
        var commands: [[String]] = [
            ["put", image, file, "/f"], ["mkdir", image, "/d"], ["mv", image, "/f", "/g"],
            ["ln", image, "/g", "/h"], ["ln", "-s", image, "/g", "/s"], ["mknod", image, "/p", "p"],
            ["chmod", image, "600", "/g"], ["chown", image, "1:1", "/g"],
            ["xattr", image, "/g", "--set", "user.a=b"], ["rm", image, "/h"], ["rmdir", image, "/d"],
            ["label", image, "new"],
        ].map { $0 + ["--volume", "disk"] }
        let archive = family.directory.path("a.tar")
        try Tool.run("tar", ["-cf", archive, "-C", family.directory.root, "file"])
        commands.append(["untar", image, archive, "/", "--volume", "disk"])
        commands.append(["resize", image, "32M"])
        let before = try fileBytes(image)
        for command in commands {
            let refused = try Tool.run(Fixture.command, command, expect: 2...2)
            #expect(
                refused.errorText.contains("is a child of this image")
                    && refused.errorText.contains("--despite-children"), "\(command): \(refused.errorText)")
        }
        #expect(try fileBytes(image) == before)
        #expect(!FileManager.default.fileExists(atPath: image + ".undo"))
        commands = commands.map { $0 + ["--despite-children"] }
        commands += [["undo", image], ["undo", image], ["convert", file, "-f", "raw", image]]
        for command in commands {
            let result = try Tool.run(Fixture.command, command)
            #expect(
                result.errorText.contains("warning:") && result.errorText.contains("child." + format)
                    && result.errorText.contains("is a child of this image"),
                "\(command): \(result.text)\(result.errorText)")
        }
    }

    /// Each command says it once, be it that a change is refused for it, made despite it, or not asked for.
    @Test(arguments: ["qcow2", "vmdk"]) func onceIsEnough(_ format: String) throws {
        let directory = try TemporaryDirectory()
        let raw = try GuestImage(
            "ubuntu606-hyperv-hda", fixtures: Fixture.repository + "/Tests/Fixtures/guests", in: directory
        ).disks[0]
        let image = directory.path("parent." + format)
        try Fixture.diskgraft("convert", "-O", format, raw, image)
        try Tool.run(
            "qemu-img",
            ["create", "-q", "-f", format, "-b", "parent." + format, "-F", format, "child." + format],
            directory: directory.root)
        func times(_ command: String...) throws -> Int {
            let result = try Tool.run(Fixture.command, command, expect: 0...2)
            let text = result.text + result.errorText
            return text.components(separatedBy: "of this image").count - 1
        }
        #expect(try times("plan", image, "--to", "kvm") == 1)
        #expect(try times("plan", image, "--to", "kvm", "--no-diff") == 1)
        #expect(try times("migrate", image, directory.path("out.raw"), "--to", "kvm") == 1)
        #expect(try times("convert", image, directory.path("raw.img")) == 1)
        #expect(try times("patch", image, "--to", "kvm") == 1)
        #expect(try times("patch", image, "--to", "kvm", "--despite-children") == 1)
        // Nothing is left to change.
        #expect(try times("patch", image, "--to", "kvm") == 1)
    }

    /// The parent is given by a machine's description: what lies beside the disk counts.
    @Test func aParentThatADescriptionNames() throws {
        let family = try Family("vmdk")
        let machine = try family.directory.write(
            "machine.vmx",
            """
            config.version = "8"
            virtualHW.version = "13"
            scsi0.present = "TRUE"
            scsi0.virtualDev = "lsilogic"
            scsi0:0.present = "TRUE"
            scsi0:0.fileName = "parent.vmdk"

            """)
        let before = try fileBytes(family.parent)
        let commands = [
            ["put", machine, family.file, "/f"], ["mkdir", machine, "/d"], ["mv", machine, "/f", "/g"],
            ["put", machine, family.file, "/f"], ["ln", "--force", machine, "/g", "/f"],
            ["rm", machine, "/f"],
        ].map { $0 + ["--volume", "disk"] }
        for command in commands {
            let refused = try Tool.run(Fixture.command, command, expect: 2...2)
            #expect(
                refused.errorText.contains("is a child of this image")
                    && refused.errorText.contains("--despite-children"), "\(command): \(refused.errorText)")
        }
        #expect(try fileBytes(family.parent) == before)
        for command in commands.map({ $0 + ["--despite-children"] }) + [["undo", machine]] {
            let result = try Tool.run(Fixture.command, command)
            #expect(
                result.errorText.contains("warning:") && result.errorText.contains("child.vmdk"),
                "\(command): \(result.text)\(result.errorText)")
        }
    }

    /// Where nothing is changed nothing is said of it, and in JSON it is a finding.
    @Test func aRepairSaysItInJSON() throws {
        let family = try Family("qcow2")
        let checked = try Fixture.diskgraft("check", "--json", family.parent)
        #expect(!checked.text.contains("is a child"))
        let repaired = try Fixture.diskgraft("check", "--json", "--repair", "leaks", family.parent)
        #expect(repaired.text.contains("is a child of this image"), "\(repaired.text)")
        for repair in ["leaks", "gpt"] {
            let shown = try Fixture.diskgraft(
                "check", "--repair", repair, "--despite-children", family.parent)
            #expect(shown.text.contains("warning:") && shown.text.contains("is a child of this image"))
        }
    }
}
