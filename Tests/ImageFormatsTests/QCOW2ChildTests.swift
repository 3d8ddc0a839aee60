import Foundation
import ImageFormats
import Storage
import TestSupport
import Testing

/// Overlays that are made here.
@Suite(.enabled(if: Tool.has("qemu-img"), "qemu-utils is not installed"))
struct QCOW2ChildTests {
    let directory: TemporaryDirectory

    /// base.raw of 1 MiB + 512 bytes in a folder of its own.
    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("bases/base.raw", patternedBytes((1 << 20) + 512, seed: 9))
    }

    private func info(_ path: String) throws -> [String: Any] {
        let text = try Tool.run("qemu-img", ["info", "-U", "--output=json", path])
        return try JSONSerialization.jsonObject(with: Data(text.output)) as? [String: Any] ?? [:]
    }

    @Test(arguments: ["1.1", "0.10"])
    func namesItsParentFromWhereItStandsAndStoresTheFormat(_ compat: String) throws {
        var options = ImageCreateOptions(
            values: [("compat", compat)], parent: directory.path("bases/base.raw"))
        options.finalPath = directory.path("child.qcow2")
        try FileManager.default.createDirectory(
            atPath: directory.path("hidden"), withIntermediateDirectories: true)
        let made = directory.path("hidden/child.qcow2")
        try QCOW2Driver.create(made, byteCount: 0, options: options).disk.flush()
        try FileManager.default.moveItem(atPath: made, toPath: directory.path("child.qcow2"))
        let info = try info(directory.path("child.qcow2"))
        #expect(info["backing-filename"] as? String == "bases/base.raw")
        #expect(info["backing-filename-format"] as? String == "raw")
        #expect(info["virtual-size"] as? Int == (1 << 20) + 512)
        try Tool.run("qemu-img", ["check", "-q", directory.path("child.qcow2")])
        try Tool.run(
            "qemu-img",
            [
                "compare", "-q", "-f", "qcow2", "-F", "raw", directory.path("child.qcow2"),
                directory.path("bases/base.raw"),
            ])
    }

    @Test func aParentThatIsOnlyNamedIsNotLookedAt() throws {
        var options = ImageCreateOptions(parent: directory.path("nothing.qcow2"))
        #expect(throws: StorageError.self) {
            try QCOW2Driver.create(directory.path("a.qcow2"), byteCount: 0, options: options)
        }
        options.trustsParent = true
        options.parentName = "nothing.qcow2"
        options.parentFormat = .qcow2
        try QCOW2Driver.create(directory.path("b.qcow2"), byteCount: 1 << 20, options: options).disk.flush()
        let info = try info(directory.path("b.qcow2"))
        #expect(info["backing-filename"] as? String == "nothing.qcow2")
        #expect(info["backing-filename-format"] as? String == "qcow2")
    }

    @Test func aNameThatDoesNotFitIsRefused() throws {
        var options = ImageCreateOptions(
            values: [("cluster_size", "512")], parent: directory.path("bases/base.raw"))
        options.parentName = String(repeating: "./", count: 300) + "bases/base.raw"
        #expect(
            throwsCode("backing-name") {
                try QCOW2Driver.create(directory.path("a.qcow2"), byteCount: 0, options: options)
            })
        options.values = []
        options.parentName = String(repeating: "./", count: 600) + "bases/base.raw"
        #expect(
            throwsCode("backing-name") {
                try QCOW2Driver.create(directory.path("a.qcow2"), byteCount: 0, options: options)
            })
        #expect(!FileManager.default.fileExists(atPath: directory.path("a.qcow2")))
    }
}
