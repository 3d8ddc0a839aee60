import Foundation
import TestSupport
import Testing

/// What `--json` prints is what docs/*.schema.json say, judged by Python's jsonschema.
@Suite(
    .enabled(
        if: Tool.has("debugfs", "sfdisk", "mke2fs", "mkswap", "mkfs.vfat", "python3")
            && (try? Tool.run("python3", ["-c", "import jsonschema"])) != nil,
        "python3-jsonschema or the makers of guests are missing"))
struct SchemaTests {
    private static let validator = """
        import json, jsonschema, sys
        schema = json.load(open(sys.argv[1]))
        jsonschema.Draft7Validator.check_schema(schema)
        document = json.load(open(sys.argv[2]))
        jsonschema.validate(document, schema)
        for key in schema["required"]:
            damaged = {name: value for name, value in document.items() if name != key}
            assert not jsonschema.Draft7Validator(schema).is_valid(damaged), key
        """

    private func validate(_ schema: String, _ document: [UInt8], _ directory: TemporaryDirectory) throws {
        let path = try directory.write("document.json", document)
        try Tool.run(
            "python3", ["-c", Self.validator, "\(Fixture.repository)/docs/\(schema).schema.json", path])
    }

    @Test(arguments: [
        ("rhel5-xenserver-pv", "hyperv"), ("rhel9-uefi-lvmdevices", "kvm"), ("debian3-lilo", "vmware"),
        ("debian4-xenserver-pv", "kvm"), ("sles11-xenserver-qemu-byid", "hyperv"), ("debian12-esx", "kvm"),
    ])
    func plansAndInspections(_ tree: String, _ target: String) throws {
        let directory = try TemporaryDirectory()
        let image = try GuestImage(
            tree, fixtures: "\(Fixture.repository)/Tests/Fixtures/guests", in: directory)
        let more = image.disks.dropFirst().flatMap { ["--with", $0] }
        let plan = try Tool.run(
            Fixture.command, ["plan", image.disks[0], "--to", target, "--json"] + more, expect: 0...2)
        try validate("plan", plan.output, directory)
        let inspection = try Tool.run(Fixture.command, ["inspect", image.disks[0], "--json"] + more)
        try validate("inspect", inspection.output, directory)
    }
}
