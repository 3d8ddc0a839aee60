import Foundation
import TestSupport
import Testing

private let fixtures = Fixture.repository + "/Tests/Fixtures/guests"

/// What `--json` prints is what docs/*.schema.json say.
@Suite(
    .enabled(
        if: Tool.has("debugfs", "e2fsck", "sfdisk", "mke2fs", "mkswap", "mkfs.vfat"), "judges are missing"))
struct ReportTests {
    private static func schema(_ name: String) -> String { "\(Fixture.repository)/docs/\(name).schema.json" }

    private static func check(_ output: [UInt8], _ name: String, _ directory: TemporaryDirectory) throws {
        #expect(try JSONSchema(try fileBytes(schema(name))).problems(output) == [])
        // A second opinion by another hand where it is installed.
        guard (try? Tool.run("python3", ["-c", "import jsonschema"])) != nil else { return }
        let file = try directory.write("report.json", output)
        try Tool.run(
            "python3",
            [
                "-c",
                """
                import json, jsonschema, sys
                jsonschema.validate(json.load(open(sys.argv[1])), json.load(open(sys.argv[2])))
                """,
                file, schema(name),
            ])
    }

    @Test(arguments: [
        "rhel5-esx-lsi", "rhel5-xenserver-pv", "rhel9-uefi-lvmdevices", "debian12-esx",
        "debian4-xenserver-pv",
    ])
    func reportsAreAsTheSchemasSay(_ tree: String) throws {
        let directory = try TemporaryDirectory()
        let image = try GuestImage(tree, fixtures: fixtures, in: directory)
        let more = image.disks.dropFirst().flatMap { ["--with", $0] }
        let inspection = try Tool.run(Fixture.command, ["inspect", "--json", image.disks[0]] + more)
        try Self.check(inspection.output, "inspect", directory)
        for target in try #require(guestCases.first { $0.tree == tree }).targets {
            let plan = try Tool.run(
                Fixture.command,
                [
                    "plan", "--json", image.disks[0], "--to", target, "--disable-tools", "--fix",
                    "net,clock,xorg,debconf",
                ]
                    + more, expect: 0...2)
            try Self.check(plan.output, "plan", directory)
        }
    }

    /// The validator finds what is wrong; the schema leaves no word out.
    @Test func theSchemaIsStrict() throws {
        let schema = try JSONSchema(try fileBytes(Self.schema("plan")))
        func problems(_ text: String) throws -> [String] { try schema.problems(Array(text.utf8)) }
        #expect(try problems("{\"systems\": [], \"findings\": []}") == [])
        #expect(try problems("{\"systems\": []}").count == 1)
        #expect(try problems("{\"systems\": [], \"findings\": [1]}").count == 1)
        #expect(try problems("{\"systems\": [], \"findings\": [], \"more\": true}").count == 1)
        #expect(try problems("{\"systems\": [{\"title\": 1}], \"findings\": []}").count > 8)
    }

    /// The words of the schema are those that the command knows.
    @Test func theSchemaKnowsEveryWord() throws {
        let text = String(decoding: try fileBytes(Self.schema("plan")), as: UTF8.self)
        for (arguments, code) in [
            (["--to", "nowhere"], "there is no target"),
            (["--to", "kvm", "--controller", "none"], "no controller"),
            (["--to", "kvm", "--only", "nothing"], "no repair"),
        ] {
            let directory = try TemporaryDirectory()
            let guest = try Fixture.guest(in: directory)
            let result = try Tool.run(Fixture.command, ["plan", guest] + arguments, expect: 64...64)
            #expect(result.errorText.contains(code))
            let list = result.errorText.split(separator: "there are ").last ?? ""
            for word in list.split(separator: ",") {
                let plain = word.trimmingCharacters(
                    in: .whitespacesAndNewlines.union(.init(charactersIn: ".")))
                #expect(text.contains("\"\(plain)\""), "\(plain)")
            }
        }
    }
}
