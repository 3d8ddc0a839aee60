import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// qcow version 1, QED and Parallels: read as QEMU reads them, and nothing else.
@Suite(.enabled(if: Tool.has("qemu-img", "qemu-io"), "QEMU's tools are missing"))
struct ReadOnlyFormatTests {
    static let formats: [ImageFormat] = [.qcow, .qed, .parallels]

    /// An image of 10 MiB with some of everything, and its contents as QEMU reads them.
    private static func image(
        _ format: ImageFormat, _ directory: TemporaryDirectory, name: String = "disk", options: [String] = []
    ) throws -> (path: String, raw: String) {
        let path = directory.path("\(name).\(format.rawValue)")
        try Tool.run(
            "qemu-img",
            ["create", "-q", "-f", format.rawValue] + options + [path]
                + (options.contains("-b") ? [] : ["10M"]))
        var commands = [
            "write -P 1 0 1000", "write -P 2 70000 9000", "write -P 3 1M 2M", "write -P 4 9437184 1M",
            "write -P 5 5000000 512",
        ]
        // Zeros over data are written as such; where nothing was, an entry says them.
        if format == .qed { commands += ["write -z 1507328 65536", "write -z 7340032 65536"] }
        try Tool.run("qemu-io", ["-f", format.rawValue] + commands.flatMap { ["-c", $0] } + [path])
        let raw = directory.path("\(name).raw")
        try Tool.run("qemu-img", ["convert", "-f", format.rawValue, "-O", "raw", path, raw])
        return (path, raw)
    }

    private static func requireSame(_ disk: Image, _ raw: String) throws {
        let expected = try fileBytes(raw)
        #expect(disk.byteCount == UInt64(expected.count))
        var bytes = [UInt8](repeating: 9, count: expected.count)
        var failure: StorageError?
        bytes.withMutableBytes { (span) in
            do throws(StorageError) { try disk.read(into: &span, at: 0) } catch { failure = error }
        }
        if let failure { throw failure }
        let isSame = bytes == expected
        #expect(isSame)
        // The same by small pieces anywhere.
        for offset in stride(from: 0, to: expected.count - 7000, by: 333_337) {
            #expect(
                try disk.bytes(at: UInt64(offset), count: 7000) == Array(expected[offset..<offset + 7000]))
        }
    }

    @Test(arguments: formats) func readAsQEMUDoes(_ format: ImageFormat) throws {
        let directory = try TemporaryDirectory()
        let (path, raw) = try Self.image(format, directory)
        let image = try open(path)
        #expect(image.info.format == format)
        try Self.requireSame(image.disk, raw)
        var findings: [Finding] = []
        try ImageProbe.check(path, locking: .ignore) { findings.append($0) }
        #expect(findings.isEmpty, "\(findings)")
        #expect(!(try open(path, .write).disk.isWritable))
    }

    /// QEMU's own command for it ends with an error: written from the format's description, and read by QEMU.
    @Test(.enabled(if: Tool.has("python3"))) func compressedClusters() throws {
        let directory = try TemporaryDirectory()
        let source = try directory.write(
            "source",
            SeededBytes.block(300_000, seed: 3).map { $0 & 3 } + [UInt8](repeating: 0, count: 500_000)
                + [UInt8](repeating: 7, count: 248_576))
        let path = directory.path("c.qcow")
        let program = """
            import struct, sys, zlib
            source = open(sys.argv[1], 'rb').read()
            size, tables, data = 4096, [], b''
            start = 48 + 8
            start = (start + 4095) // 4096 * 4096 + 4096
            for at in range(0, len(source), size):
                coder = zlib.compressobj(9, zlib.DEFLATED, -12)
                packed = coder.compress(source[at:at + size]) + coder.flush()
                tables.append(1 << 63 | len(packed) << 51 | start + len(data))
                data += packed
            header = b'QFI\\xfb' + struct.pack('>IQIIQBBHIQ', 1, 0, 0, 0, len(source), 12, 9, 0, 0, 48)
            with open(sys.argv[2], 'wb') as image:
                image.write(header + struct.pack('>Q', 4096))
                image.seek(4096)
                image.write(b''.join(struct.pack('>Q', entry) for entry in tables))
                image.seek(start)
                image.write(data)
            """
        try Tool.run("python3", ["-c", program, source, path])
        let raw = directory.path("raw")
        try Tool.run("qemu-img", ["convert", "-f", "qcow", "-O", "raw", path, raw])
        #expect(try fileBytes(raw) == fileBytes(source))
        try Self.requireSame(try open(path).disk, source)
        try ImageProbe.check(path, locking: .ignore) { Issue.record("\($0)") }
    }

    @Test(arguments: [ImageFormat.qcow, .qed]) func overlays(_ format: ImageFormat) throws {
        let directory = try TemporaryDirectory()
        try directory.write("base.img", SeededBytes.block(10 << 20, seed: 5))
        let (path, raw) = try Self.image(
            format, directory, options: ["-b", "base.img", "-F", "raw"])
        #expect(throws: StorageError.self) { try open(path) }
        let info = try ImageProbe.describe(path, locking: .ignore)
        #expect(info.references.map(\.name) == ["base.img"])
        let image = try open(path, .read, ReferencePolicy(allowsSiblings: true))
        try Self.requireSame(image.disk, raw)
    }

    /// Each is the other's backing file.
    @Test func chainsOfSeveralFormatsEnd() throws {
        let directory = try TemporaryDirectory()
        for (name, format) in [("a", "qcow2"), ("b", "qed")] {
            try Tool.run("qemu-img", ["create", "-q", "-f", format, directory.path(name), "1M"])
        }
        try Tool.run(
            "qemu-img", ["rebase", "-u", "-f", "qcow2", "-F", "qed", "-b", "b", directory.path("a")])
        try Tool.run(
            "qemu-img", ["rebase", "-u", "-f", "qed", "-F", "qcow2", "-b", "a", directory.path("b")])
        let error = #expect(throws: StorageError.self) {
            try open(directory.path("a"), .read, ReferencePolicy(allowsSiblings: true))
        }
        #expect(["parent-cycle", "reference-refused"].contains(error?.code), "\(String(describing: error))")
    }

    @Test(arguments: formats) func theyAreNotMade(_ format: ImageFormat) throws {
        let directory = try TemporaryDirectory()
        let driver = try ImageProbe.driver(for: format)
        let isMade = driver.canCreate
        #expect(!isMade)
        let error = #expect(throws: StorageError.self) {
            try driver.create(directory.path("x"), byteCount: 1 << 20, options: ImageCreateOptions())
        }
        #expect(error?.code == "read-only-format")
        #expect(!FileManager.default.fileExists(atPath: directory.path("x")))
    }

    // MARK: Damage

    /// A field of the header, the table, or the file's end, and the error's code.
    private static let damage: [(ImageFormat, String, @Sendable (inout [UInt8]) -> Void)] = [
        (.qcow, "truncated-header", { $0.removeLast($0.count - 47) }),
        (.qcow, "cluster-bits", { $0[32] = 8 }), (.qcow, "cluster-bits", { $0[32] = 17 }),
        (.qcow, "table-bits", { $0[33] = 5 }), (.qcow, "table-bits", { $0[33] = 14 }),
        (.qcow, "disk-size", { for index in 24..<32 { $0[index] = 0 } }),
        // 16 TiB, of which the file cannot hold the table.
        (.qcow, "table-place", { $0[26] = 0x10 }),
        (.qcow, "disk-size", { $0[24] = 0x7f }),
        (.qcow, "table-place", { $0[40] = 1 }),
        (.qcow, "encrypted", { $0[39] = 1 }), (.qcow, "unknown-encryption", { $0[39] = 2 }),
        (.qcow, "backing-name", { $0[15] = 48 }),
        (.qed, "truncated-header", { $0.removeLast($0.count - 63) }),
        (.qed, "unknown-features", { $0[16] = 8 }), (.qed, "unknown-features", { $0[23] = 0x80 }),
        (.qed, "cluster-size", { $0[4] = 1 }), (.qed, "cluster-size", { $0[6] = 0 }),
        (.qed, "table-size", { $0[8] = 32 }), (.qed, "table-size", { $0[8] = 0 }),
        (.qed, "header-size", { $0[12] = 0 }), (.qed, "header-size", { $0[15] = 0xff }),
        (.qed, "disk-size", { $0[48] = 1 }), (.qed, "disk-size", { $0[55] = 0xff }),
        (.qed, "table-place", { $0[47] = 1 }), (.qed, "table-place", { $0[40] = 1 }),
        (.qed, "backing-name", { $0[16] = 1 }),
        (.parallels, "truncated-header", { $0.removeLast($0.count - 63) }),
        (.parallels, "unknown-version", { $0[16] = 3 }),
        (.parallels, "block-size", { $0.replaceSubrange(28..<32, with: [0, 0, 0, 0]) }),
        (.parallels, "block-size", { $0[31] = 0xff }), (.parallels, "table-size", { $0[35] = 0xff }),
        (.parallels, "table-size", { $0.replaceSubrange(32..<36, with: [1, 0, 0, 0]) }),
        (.parallels, "table-size", { $0.replaceSubrange(32..<36, with: [0, 0, 0, 2]) }),
        (.parallels, "disk-size", { $0.replaceSubrange(36..<44, with: [0, 0, 0, 0, 0, 0, 0, 0]) }),
        (.parallels, "disk-size", { $0[43] = 0xff }),
    ]

    @Test func headersThatCannotBeAreNamed() throws {
        let directory = try TemporaryDirectory()
        var good: [ImageFormat: [UInt8]] = [:]
        for format in Self.formats { good[format] = try fileBytes(try Self.image(format, directory).path) }
        for (index, (format, code, change)) in Self.damage.enumerated() {
            var bytes = try #require(good[format])
            change(&bytes)
            let path = try directory.write("damaged-\(index)", bytes)
            let error = #expect(throws: StorageError.self, "\(index) \(format)") {
                try ImageProbe.open(path, format: format, options: ImageOpenOptions(locking: .ignore))
            }
            #expect(error?.code == code, "\(index) \(format): \(String(describing: error))")
            var found: [String] = []
            try? ImageProbe.check(path, format: format, locking: .ignore) { found.append($0.code) }
            if error?.kind == .corrupt { #expect(found == [code], "\(index) \(format)") }
        }
    }

    /// Entries that lead out of the file, or two to one place: reading says so where it must, the check always.
    @Test(arguments: formats) func entriesThatCannotBe(_ format: ImageFormat) throws {
        let directory = try TemporaryDirectory()
        let (path, _) = try Self.image(format, directory)
        let good = try fileBytes(path)
        let isBig = format == .qcow
        func number(_ bytes: [UInt8], _ at: Int) -> UInt64 { isBig ? bytes.big(at) : bytes.little(at) }
        let first: Int =
            switch format {
            case .qcow: Int(number(good, 40))
            case .qed: Int(number(good, 40))
            default: 64
            }
        let width = format == .parallels ? 4 : 8
        let table = format == .parallels ? 64 : Int(number(good, first))
        func codes(_ change: (inout [UInt8]) -> Void) throws -> (read: String?, check: [String]) {
            var bytes = good
            change(&bytes)
            let path = try directory.write("bad", bytes)
            var found: [String] = []
            try ImageProbe.check(path, format: format, locking: .ignore) { found.append($0.code) }
            let disk = try ImageProbe.open(path, format: format, options: ImageOpenOptions(locking: .ignore))
                .disk
            var read: String?
            do { _ = try disk.bytes(at: 0, count: 1 << 20) } catch { read = error.code }
            return (read, found)
        }
        let outside = try codes {
            for index in 0..<width { $0[table + index] = index == (isBig ? 0 : width - 1) ? 0x3f : 0 }
        }
        #expect(outside.read == "outside-file")
        #expect(outside.check == ["outside-file"])
        let entries = stride(from: table, to: table + 4096, by: width).filter { at in
            good[at..<at + width].contains { $0 > 1 }
        }
        let last = try #require(entries.last)
        let twice = try codes { bytes in
            bytes.replaceSubrange(last..<last + width, with: good[entries[0]..<entries[0] + width])
        }
        #expect(twice.check == ["overlap"])
    }

    @Test(arguments: formats) func mutatedImagesEndInTypedErrors(_ format: ImageFormat) throws {
        let directory = try TemporaryDirectory()
        let (path, _) = try Self.image(format, directory)
        let bytes = try fileBytes(path)
        try ImageFuzz.run(
            bytes, regions: [0..<64, 64..<min(bytes.count, 70_000), 0..<bytes.count], count: 300,
            seed: UInt64(format.rawValue.utf8.count), format: format, name: "mutated", directory
        ) { _ in }
    }

    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func theHostileSampleIsRefused() throws {
        let path = try SharedSamples.path("formats/cdi/invalid-qcow-large-size.img")
        let error = #expect(throws: StorageError.self) { try open(path) }
        #expect(error?.kind == .corrupt)
    }
}
