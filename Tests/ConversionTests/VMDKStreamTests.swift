import Conversion
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// Conforming streams: what goes into a pipe is held against the format's description, and read by others.
@Suite struct VMDKStreamTests {
    /// Converts into memory.
    private func stream(
        _ source: any BlockDevice, workers: Int = 2, _ values: [(key: String, value: String)] = [],
        name: String = "disk.vmdk"
    ) throws -> [UInt8] {
        let output = MemoryOutput()
        let writer = try VMDKStreamWriter(
            to: output, name: name, byteCount: source.byteCount, options: ImageCreateOptions(values: values))
        try Converter(source: source, sink: try EncodedImageSink(writer)).run(workers: workers)
        #expect(output.flushes == 1)
        #expect(output.largest < 3 << 20)
        return output.bytes
    }

    private func disk(_ byteCount: Int, _ seed: UInt64, runs: Int = 20) -> [UInt8] {
        var random = SeededRandom(seed)
        var bytes = [UInt8](repeating: 0, count: byteCount)
        for _ in 0..<runs {
            let count = min(Int.random(in: 1...150_000, using: &random), byteCount)
            let start = Int.random(in: 0...byteCount - count, using: &random)
            let data =
                Bool.random(using: &random)
                ? random.bytes(count)
                : [UInt8](repeating: UInt8.random(in: 1...255, using: &random), count: count)
            bytes.replaceSubrange(start..<start + count, with: data)
        }
        return bytes
    }

    /// Sizes around grains and tables, one and several workers.
    @Test(
        arguments: [512, 65_536, 65_536 + 512, (9 << 20) + 512, 32 << 20, (33 << 20) - 512, 70 << 20], [1, 3])
    func everyStreamConforms(_ size: Int, _ workers: Int) throws {
        let bytes = disk(size, UInt64(size))
        let made = try stream(MemoryDevice(bytes), workers: workers)
        let check = VMDKStreamCheck(made)
        #expect(check.breaches == [])
        #expect(check.capacity == UInt64(size) / 512)
        #expect(isSame(check.disk(), bytes))
        let directory = try TemporaryDirectory()
        let path = try directory.write("disk.vmdk", made)
        let own = try ImageProbe.open(path)
        #expect(own.info.warnings == [])
        #expect(isSame(try own.disk.bytes(at: 0, count: size), bytes))
        var findings: [Finding] = []
        try ImageProbe.check(path) { findings.append($0) }
        #expect(findings.filter { $0.severity != .note } == [])
        guard Tool.has("qemu-img") else { return }
        let raw = try directory.write("disk.raw", bytes)
        try Tool.run("qemu-img", ["compare", "-q", "-f", "raw", "-F", "vmdk", raw, path])
    }

    @Test func aDiskWithoutDataConforms() throws {
        for size in [1 << 20, 1 << 40] as [UInt64] {
            let made = try stream(MemoryDevice(byteCount: 1 << 20))
            #expect(VMDKStreamCheck(made).breaches == [])
            let directory = try TemporaryDirectory()
            let path = directory.path("disk.vmdk")
            let options = ImageCreateOptions(values: [("subformat", "streamOptimized")])
            let empty = try VMDKDriver.create(path, byteCount: size, options: options)
            #expect(empty.disk.byteCount == size && empty.info.variant == "streamOptimized")
            let check = VMDKStreamCheck(try fileBytes(path))
            #expect(check.breaches == [] && check.capacity == size / 512 && check.grains.isEmpty)
        }
    }

    /// Grains far apart: tables without grains are left out.
    @Test func tablesWithoutGrainsAreLeftOut() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("disk.raw", byteCount: 5 << 40)
        do {
            let file = try HostFile.open(path, access: .write)
            for place in [0, 3 << 30, (5 << 40) - 512] as [UInt64] { try file.write([1, 2, 3], at: place) }
        }
        let made = try stream(try ImageProbe.open(path, format: .raw).disk)
        let check = VMDKStreamCheck(made)
        #expect(check.breaches == [])
        #expect(check.grains.keys.sorted() == [0, 3 << 21, (5 << 31) - 128])
        // The directory of 160 Ki tables is most of it.
        #expect(made.count < 1 << 20)
    }

    @Test func optionsReachTheDescriptorAndTheEncoder() throws {
        let bytes = disk(4 << 20, 8).map { $0 & 7 }
        let fast = try stream(MemoryDevice(bytes), [("compression_level", "1")])
        let best = try stream(
            MemoryDevice(bytes),
            [
                ("compression_level", "9"), ("adapter_type", "ide"), ("hwversion", "13"),
                ("toolsversion", "0"),
                ("uuid", "6000c29a-c9ec-2da9-3d15-2fea25fbe41f"),
            ], name: "web 01.vmdk")
        for made in [fast, best] { #expect(VMDKStreamCheck(made).breaches == []) }
        #expect(best.count < fast.count)
        let text = String(decoding: best[512..<10_000].prefix { $0 != 0 }, as: UTF8.self)
        for line in [
            "RDONLY 8192 SPARSE \"web 01.vmdk\"", "ddb.adapterType = \"ide\"",
            "ddb.virtualHWVersion = \"13\"",
            "ddb.toolsVersion = \"0\"", "ddb.uuid = \"60 00 c2 9a c9 ec 2d a9-3d 15 2f ea 25 fb e4 1f\"",
        ] { #expect(text.contains(line + "\n")) }
    }

    /// Untouched grains of a stream stay byte for byte, whoever made them; changed ones are made anew.
    @Test(arguments: ["own", "qemu"], [1, 3]) func grainsAreTakenOver(_ maker: String, _ workers: Int) throws
    {
        let directory = try TemporaryDirectory()
        let bytes = disk((40 << 20) + 512, 17)
        let path = directory.path("disk.vmdk")
        if maker == "own" {
            try directory.write("disk.vmdk", try stream(MemoryDevice(bytes), [("compression_level", "3")]))
        } else {
            guard Tool.has("qemu-img") else { return }
            let raw = try directory.write("disk.raw", bytes)
            try Tool.run(
                "qemu-img",
                ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", raw, path])
        }
        let source = try ImageProbe.open(path).disk
        let overlay = OverlayDevice(source)
        var expected = bytes
        // Into data, over a grain's edge, and where nothing was.
        let used = try #require(bytes.firstIndex { $0 != 0 })
        for start in [used, 65_530 + (8 << 20), 39 << 20] {
            let data = [UInt8](repeating: 201, count: 3000)
            try overlay.write(data, at: UInt64(start))
            expected.replaceSubrange(start..<start + data.count, with: data)
        }
        let check = VMDKStreamCheck(try stream(overlay, workers: workers))
        #expect(check.breaches == [])
        #expect(isSame(check.disk(), expected))
        var verbatim = 0
        for (sector, payload) in check.payloads {
            let start = Int(sector) * 512
            let end = min(start + 65_536, bytes.count)
            guard isSame(Array(bytes[start..<end]), Array(expected[start..<end])), end == start + 65_536
            else { continue }
            guard case .compressed(let unit) = try source.nextExtent(at: UInt64(start)).kind else {
                Issue.record("sector \(sector) is not in the source")
                continue
            }
            let stored = try source.hostFiles[0].bytes(
                at: unit.hostRange.lowerBound,
                count: Int(unit.hostRange.upperBound - unit.hostRange.lowerBound))
            #expect(stored == payload)
            verbatim += 1
        }
        #expect(verbatim > 15 && verbatim >= check.payloads.count - 5)
    }

    /// qemu-img's stream has its tables in front, no markers, no footer and no end.
    @Test func theCheckRefusesWhatDoesNotConform() throws {
        let directory = try TemporaryDirectory()
        let bytes = disk(3 << 20, 4)
        if Tool.has("qemu-img") {
            let raw = try directory.write("disk.raw", bytes)
            let path = directory.path("theirs.vmdk")
            try Tool.run(
                "qemu-img",
                ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", raw, path])
            let breaches = VMDKStreamCheck(try fileBytes(path)).breaches
            for expected in ["flags", "redundant directory", "directory is not in the footer"] {
                #expect(breaches.contains("at 0: \(expected)"))
            }
        }
        let made = try stream(MemoryDevice(bytes))
        #expect(VMDKStreamCheck(made).breaches == [])
        // Each sector of metadata matters, and each grain's head.
        let end = made.count
        let places = [
            4, 8, 12, 44, 48, 56, 64, 72, 77, 200, 512, 30_000, 65_536, 65_544, 65_552, end - 1,
            end - 512,
            end - 1024, end - 1024 + 56, end - 1024 + 300, end - 1536, end - 1536 + 12, end - 2048,
            end - 2560,
        ]
        for place in places {
            var damaged = made
            damaged[place] ^= 0x41
            #expect(VMDKStreamCheck(damaged).breaches != [], "\(place)")
        }
        #expect(VMDKStreamCheck(made + [UInt8](repeating: 0, count: 512)).breaches != [])
        #expect(VMDKStreamCheck(Array(made.dropLast(512))).breaches != [])
        #expect(VMDKStreamCheck(Array(made.dropLast(1))).breaches != [])
    }

    /// A break at any point is told, and nothing is called complete.
    @Test func aBrokenPipeEndsIt() throws {
        var random = SeededRandom(6)
        let bytes = random.block(4 << 20) + [UInt8](repeating: 7, count: 1 << 20)
        let whole = MemoryOutput()
        func run(_ output: MemoryOutput) throws {
            let writer = try VMDKStreamWriter(
                to: output, name: "disk.vmdk", byteCount: UInt64(bytes.count), options: ImageCreateOptions())
            try Converter(source: MemoryDevice(bytes), sink: try EncodedImageSink(writer)).run(workers: 3)
        }
        try run(whole)
        #expect(whole.calls > 2)
        for call in 0..<whole.calls {
            let output = MemoryOutput(failing: call)
            let error = #expect(throws: StorageError.self) { try run(output) }
            #expect(error?.code == "broken")
            #expect(output.flushes == 0)
            #expect(VMDKStreamCheck(output.bytes).breaches != [])
        }
    }

    @Test func whatIsNoGrainIsRefused() throws {
        let output = MemoryOutput()
        let writer = try VMDKStreamWriter(
            to: output, name: "disk.vmdk", byteCount: 1 << 20, options: ImageCreateOptions())
        let grain: [UInt8] = [0x78, 0x9c, 3, 0, 0, 0, 0, 1]
        func code(_ bytes: [UInt8], _ range: Range<UInt64>) -> String? {
            do throws(StorageError) { try writer.write(bytes, of: range) } catch { return error.code }
            return nil
        }
        // No zlib stream, of a length that none has, not a grain's range, behind the end.
        #expect(code([1, 2, 3, 4, 5, 6, 7, 8], 0..<65_536) == "grain-header")
        #expect(code([], 0..<65_536) == "grain-header")
        #expect(code(grain + [UInt8](repeating: 0, count: 1 << 18), 0..<65_536) == "grain-header")
        #expect(code(grain, 512..<66_048) == "out-of-range")
        #expect(code(grain, 0..<4096) == "out-of-range")
        #expect(code(grain, 1 << 20..<(1 << 20) + 65_536) == "out-of-range")
        #expect(code(grain, 131_072..<196_608) == nil)
        // In order, each once, and nothing behind the end.
        #expect(code(grain, 131_072..<196_608) == "out-of-range")
        #expect(code(grain, 0..<65_536) == "out-of-range")
        try writer.finish()
        #expect(code(grain, 196_608..<262_144) == "out-of-range")
        #expect(throws: StorageError.self) { try writer.finish() }
        #expect(throws: StorageError.self) { try writer.write(plain: grain.span8, at: 0) }
        #expect(throws: StorageError.self) {
            try VMDKStreamWriter(
                to: output, name: "disk.vmdk", byteCount: 1 << 20,
                options: ImageCreateOptions(values: [("subformat", "vmfs"), ("zeroed_grain", "on")]))
        }
        #expect(throws: StorageError.self) {
            try VMDKStreamWriter(
                to: output, name: "disk\".vmdk", byteCount: 1 << 20, options: ImageCreateOptions())
        }
    }
}
