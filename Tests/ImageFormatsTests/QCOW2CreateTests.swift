import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

@Suite(.enabled(if: Tool.has("qemu-img"), "qemu-utils is not installed"))
struct QCOW2CreateTests {
    static let variants: [[String]] = [
        [], ["cluster_size=512"], ["cluster_size=4k"], ["cluster_size=2M"], ["compat=0.10"],
        ["compat=v3", "lazy_refcounts=off", "preallocation=off"],
        ["cluster_size=512", "refcount_bits=64"], ["refcount_bits=1"],
    ]

    static func options(_ texts: [String]) -> ImageCreateOptions {
        ImageCreateOptions(
            values: texts.map { text in
                let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (String(parts[0]), String(parts[1]))
            })
    }

    @Test(arguments: variants)
    func sequentialWritesCompareEqual(options: [String]) throws {
        let directory = try TemporaryDirectory()
        let flat = patternedBytes((13 << 20) + 1536, seed: 41)
        let raw = try directory.write("flat.img", flat)
        let path = directory.path("new.qcow2")
        do {
            let image = try QCOW2Driver.create(
                path, byteCount: UInt64(flat.count), options: Self.options(options))
            for start in stride(from: 0, to: flat.count, by: 1 << 20) {
                let end = min(start + 1 << 20, flat.count)
                // Leaves out what is zeros already, as a conversion does.
                if start >> 20 % 5 == 3 { continue }
                try image.disk.write(Array(flat[start..<end]), at: UInt64(start))
            }
            for start in stride(from: 3 << 20, to: flat.count, by: 5 << 20) {
                try image.disk.write(Array(flat[start..<min(start + 1 << 20, flat.count)]), at: UInt64(start))
            }
            try image.disk.flush()
        }
        try Tool.run("qemu-img", ["check", "-q", "-f", "qcow2", path])
        try Tool.run("qemu-img", ["compare", "-q", "-f", "raw", "-F", "qcow2", raw, path])
        #expect(try ImageProbe.open(path).disk.bytes(at: 0, count: flat.count) == flat)
    }

    @Test(arguments: variants)
    func anEmptyImageIsClean(options: [String]) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("new.qcow2")
        do {
            let image = try QCOW2Driver.create(path, byteCount: 100 << 30, options: Self.options(options))
            #expect(image.disk.isWritable)
            #expect(try image.disk.nextExtent(at: 0).kind == .zero)
            try image.disk.flush()
        }
        try Tool.run("qemu-img", ["check", "-q", "-f", "qcow2", path])
        let info = try Tool.run("qemu-img", ["info", path]).text
        #expect(info.contains("(107374182400 bytes)"))
        #expect(try ImageProbe.open(path).info.variant == (options == ["compat=0.10"] ? "v2" : "v3"))
    }

    @Test func theSizeIsRoundedUpToSectors() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("new.qcow2")
        let image = try QCOW2Driver.create(path, byteCount: 1001, options: ImageCreateOptions())
        #expect(image.disk.byteCount == 1024)
    }

    @Test func badOptionsAreRefusedBeforeAFileIsMade() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("new.qcow2")
        for text in [
            "cluster_size=1000", "cluster_size=256", "cluster_size=4M", "cluster_size=", "compat=2",
            "refcount_bits=3", "refcount_bits=128", "lazy_refcounts=on", "preallocation=full",
            "cluster_size=9223372036854775807M",
        ] {
            #expect(
                throwsCode("option-value") {
                    try QCOW2Driver.create(path, byteCount: 1 << 20, options: Self.options([text]))
                })
        }
        #expect(
            throwsCode("option-value") {
                try QCOW2Driver.create(
                    path, byteCount: 1, options: Self.options(["compat=0.10", "refcount_bits=8"]))
            })
        #expect(
            throwsCode("size-too-large") {
                try QCOW2Driver.create(path, byteCount: 1 << 40, options: Self.options(["cluster_size=512"]))
            })
        #expect(
            throwsCode("size-too-large") {
                try QCOW2Driver.create(path, byteCount: .max, options: ImageCreateOptions())
            })
        let error = #expect(throws: StorageError.self) {
            try QCOW2Driver.create(path, byteCount: 1, options: Self.options(["colour=red"]))
        }
        #expect(error?.code == "unknown-option")
        #expect(!HostDirectory.exists(path))
    }
}
