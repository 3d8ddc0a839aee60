import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

@Suite(.enabled(if: Tool.has("qemu-img", "qemu-io"), "qemu-utils is not installed"))
struct QCOW2BackingTests {
    let directory: TemporaryDirectory
    var top: String { directory.path("top.qcow2") }
    static let siblings = ReferencePolicy(allowsSiblings: true)

    /// raw of 1 MiB + 512 bytes, qcow2 of 3 MiB over it, qcow2 of 4 MiB over that.
    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("base.raw", patternedBytes((1 << 20) + 512, seed: 71))
        try overlay(
            "middle.qcow2", over: "base.raw", "raw", "3M", ["write -P 5 64k 64k", "write -P 6 2M 64k"])
        try overlay(
            "top.qcow2", over: "middle.qcow2", "qcow2", "4M", ["write -P 7 192k 4k", "write -z 2M 4k"])
    }

    func overlay(
        _ name: String, over base: String, _ format: String, _ size: String, _ commands: [String] = []
    ) throws {
        try Tool.run(
            "qemu-img",
            ["create", "-q", "-f", "qcow2", "-F", format, "-b", base, directory.path(name), size],
            directory: directory.root)
        guard !commands.isEmpty else { return }
        try Tool.run("qemu-io", ["-f", "qcow2"] + commands.flatMap { ["-c", $0] } + [directory.path(name)])
    }

    func open(
        _ name: String, _ policy: ReferencePolicy = siblings, access: FileAccess = .read
    ) throws -> Image {
        try ImageProbe.open(
            directory.path(name), options: ImageOpenOptions(access: access, references: policy)
        ).disk
    }

    func bytesByQEMU(_ name: String) throws -> [UInt8] {
        let flat = directory.path("flat.img")
        try Tool.run("qemu-img", ["convert", "-q", "-O", "raw", directory.path(name), flat])
        return try fileBytes(flat)
    }

    func code(_ body: () throws -> some Any) -> String? {
        do {
            _ = try body()
            return nil
        } catch { return (error as? StorageError)?.code }
    }

    @Test func readsAChainAsQEMUDoes() throws {
        let disk = try open("top.qcow2")
        #expect(try disk.bytes(at: 0, count: 4 << 20) == bytesByQEMU("top.qcow2"))
        // The raw base's end, and past the middle's.
        #expect(try disk.nextExtent(at: 3 << 20).kind == .zero)
        #expect(disk.hostFiles.count == 3)
        guard case .plain(2, 0) = try disk.nextExtent(at: 0).kind else {
            throw TestFailure(description: "\(try disk.nextExtent(at: 0))")
        }
    }

    @Test func writesGoToTheOverlayAlone() throws {
        var expected = try bytesByQEMU("top.qcow2")
        let middle = try fileBytes(directory.path("middle.qcow2"))
        let base = try fileBytes(directory.path("base.raw"))
        do {
            let disk = try open("top.qcow2", access: .write)
            try QCOW2WritingTests.scribble(disk, &expected, seed: 3, count: 10)
        }
        try Tool.run("qemu-img", ["check", "-q", top])
        #expect(try bytesByQEMU("top.qcow2") == expected)
        #expect(try fileBytes(directory.path("middle.qcow2")) == middle)
        #expect(try fileBytes(directory.path("base.raw")) == base)
    }

    @Test func opensWhatThePolicyAllowsAndNothingElse() throws {
        #expect(code { try open("top.qcow2", .refuse) } == "reference-refused")
        // The caller's file instead of the named one; its own backing file is not covered by that.
        let named = ReferencePolicy(allowsSiblings: false, parent: directory.path("middle.qcow2"))
        #expect(code { try open("top.qcow2", named) } == "reference-refused")
        let both = ReferencePolicy(allowsSiblings: true, parent: directory.path("middle.qcow2"))
        #expect(try open("top.qcow2", both).bytes(at: 64 << 10, count: 1) == [5])
        // Elsewhere, by whatever road, is not beside.
        let other = try TemporaryDirectory()
        try other.write("base.raw", [UInt8](repeating: 1, count: 1 << 20))
        try overlay("abroad.qcow2", over: other.path("base.raw"), "raw", "1M")
        #expect(code { try open("abroad.qcow2") } == "parent-not-found")
        try overlay("dots.qcow2", over: "../\(HostPath.name(of: directory.root))/base.raw", "raw", "1M")
        #expect(code { try open("dots.qcow2") } == "parent-not-found")
        try overlay("absolute.qcow2", over: directory.path("base.raw"), "raw", "1M")
        #expect(code { try open("absolute.qcow2") } == nil)
        // A link is not a file beside it.
        try Tool.run("ln", ["-s", other.path("base.raw"), directory.path("link.raw")])
        try overlay("linked.qcow2", over: "link.raw", "raw", "1M")
        #expect(throws: StorageError.self) { try open("linked.qcow2") }
    }

    @Test func aProbedBackingFileOpensNoOther() throws {
        // Without the extension for its format, as old writers leave it.
        for name in ["middle.qcow2", "top.qcow2"] {
            var bytes = try fileBytes(directory.path(name))
            bytes.replaceSubrange(112..<116, with: [0x12, 0x34, 0x56, 0x78])
            try directory.write(name, bytes)
        }
        #expect(try open("middle.qcow2").bytes(at: 64 << 10, count: 1) == [5])
        #expect(code { try open("top.qcow2") } == "reference-refused")
    }

    @Test func unknownFormatsAndCyclesAreRefused() throws {
        var bytes = try fileBytes(top)
        let format = 112 + 8
        #expect(bytes[format..<format + 5] == ArraySlice("qcow2".utf8))
        bytes.replaceSubrange(format..<format + 5, with: Array("qcow9".utf8))
        try directory.write("odd.qcow2", bytes)
        #expect(throwsCode("backing-format") { try open("odd.qcow2") })
        // The middle one names the top: same length of name.
        try overlay("aaa.qcow2", over: "middle.qcow2", "qcow2", "1M")
        var cycle = try fileBytes(directory.path("aaa.qcow2"))
        let name = Int(cycle.big(8, as: UInt64.self))
        let length = Int(cycle.big(16, as: UInt32.self))
        #expect(length == 12)
        cycle.replaceSubrange(name..<name + 12, with: Array("./aaaa.qcow2".utf8))
        try directory.write("aaaa.qcow2", cycle)
        #expect(throwsCode("parent-cycle") { try open("aaaa.qcow2") })
    }

    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func readsARealChain() throws {
        for index in 1...3 {
            let path = try SharedSamples.unpack(
                "formats/dissect/backing-chain-\(index).qcow2.gz", into: directory)
            #expect(HostDirectory.exists(path))
        }
        let disk = try open("backing-chain-1.qcow2")
        for (index, text) in [
            "Nothing here", "Nothing here two", "Something here three", "Something here four",
            "Something here five",
        ].enumerated() {
            let bytes = try disk.bytes(at: UInt64(index) << 20, count: text.utf8.count)
            #expect(String(decoding: bytes, as: UTF8.self) == text)
        }
    }
}
