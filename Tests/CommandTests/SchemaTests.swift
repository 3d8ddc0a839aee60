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

    /// An error is one object too, with the exit status, whichever command it is and however it ends.
    @Test(arguments: [
        ["plan", "empty.img", "--to", "kvm"], ["patch", "empty.img", "--to", "kvm"],
        ["plan", "none.img", "--to", "kvm"], ["plan", "empty.img", "--to", "moon"], ["plan", "empty.img"],
        ["patch", "none.img", "--to", "kvm"], ["inspect", "none.img"], ["inspect"], ["info", "none.img"],
        ["check", "none.img"], ["check", "empty.img", "--repair", "all"], ["map", "none.img"],
        ["measure", "none.img"], ["measure"], ["stat", "empty.img", "/"], ["ls", "empty.img", "/"],
        ["initramfs", "empty.img", "/boot/initrd"], ["migrate", "empty.img", "new.qcow2", "--to", "kvm"],
        ["migrate", "none.img", "new.qcow2", "--to", "kvm"], ["ls", "none.img", "/", "--no-such-option"],
    ])
    func errors(_ arguments: [String]) throws {
        let directory = try TemporaryDirectory()
        _ = try directory.write("empty.img", [UInt8](repeating: 0, count: 1 << 20))
        let result = try Tool.run(
            Fixture.command, arguments + ["--json"], directory: directory.root, expect: 1...64)
        try validate("error", result.output, directory)
        let object = try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: [String: Any]]
        let message = try #require(object?["error"]?["message"] as? String)
        #expect(object?["error"]?["status"] as? Int == Int(result.status))
        #expect(result.errorText.contains(message), "\(result.errorText)")
        // Who does not ask for it gets nothing more.
        let plain = try Tool.run(Fixture.command, arguments, directory: directory.root, expect: 1...64)
        #expect(plain.status == result.status && plain.output.isEmpty)
    }
}
