import Codecs
import Conversion
import HostIO
import ImageFormats
import Storage
import Synchronization
import TestSupport
import Testing

/// Whatever the sink and however many workers: the same disk comes out, written as the sink wants it.
@Suite struct SinkTests {
    static let size = (9 << 20) + 512

    /// A disk with data, zeros within data and long holes, whose length is no multiple of any unit.
    static func disk() -> [UInt8] {
        var random = SeededRandom(31)
        var bytes = [UInt8](repeating: 0, count: size)
        func fill(_ range: Range<Int>) {
            bytes.replaceSubrange(range, with: random.block(range.count))
        }
        func text(_ range: Range<Int>) {
            for index in range { bytes[index] = UInt8(index / 7 % 60 + 40) }
        }
        fill(512..<70_000)
        text(1 << 20..<(1 << 20) + 300_000)
        fill((2 << 20) - 512..<(2 << 20) + 512)
        text(5 << 20..<7 << 20)
        text(size - 5000..<size)
        return bytes
    }

    /// The same as a sparse file, whose holes are the map's zeros.
    private func image(_ directory: TemporaryDirectory) throws -> any BlockDevice {
        let path = try directory.sparse("disk.raw", byteCount: UInt64(Self.size))
        do {
            let file = try HostFile.open(path, access: .write)
            let bytes = Self.disk()
            for start in stride(from: 0, to: bytes.count, by: 4096) {
                let piece = Array(bytes[start..<min(start + 4096, bytes.count)])
                if !piece.span8.isAllZero { try file.write(piece, at: UInt64(start)) }
            }
        }
        return try ImageProbe.open(path, format: .raw).disk
    }

    static let layouts: [SinkLayout] = [
        SinkLayout(unit: 512),
        SinkLayout(unit: 65_536, order: .ascending),
        SinkLayout(unit: 2 << 20, order: .ascending),
        SinkLayout(
            unit: 65_536, order: .ascending, encoding: .init(codec: .zlib, level: 1, takesPlainUnits: false)),
        SinkLayout(unit: 4096, encoding: .init(codec: .deflate, takesPlainUnits: true)),
        SinkLayout(unit: 2 << 20, order: .ascending, encoding: .init(codec: .zstd, takesPlainUnits: true)),
    ]

    @Test(arguments: layouts.indices, [1, 3])
    func everySinkGetsTheDisk(_ index: Int, _ workers: Int) throws {
        let layout = Self.layouts[index]
        let directory = try TemporaryDirectory()
        let bytes = Self.disk()
        for source in [try image(directory), MemoryDevice(bytes)] {
            let sink = RecordingSink(byteCount: UInt64(Self.size), layout: layout)
            let converter = try Converter(source: source, sink: sink)
            try converter.run(workers: workers)
            #expect(sink.breaches == [])
            #expect(sink.isFinished)
            #expect(isSame(try sink.contents(), bytes))
            // Holes cost nothing, and zeros within data are left out by whole units.
            #expect(converter.copiedByteCount < 5 << 20)
            for case .plain(_, let written) in sink.events { #expect(written.contains { $0 != 0 }) }
            guard let encoding = layout.encoding else { continue }
            #expect(!sink.encodedUnits.isEmpty)
            let hasPlain = sink.encodedUnits.count < sink.events.count
            #expect(hasPlain == (encoding.takesPlainUnits && layout.unit < 1 << 20))
        }
    }

    /// Grains that are encoded as the sink wants them arrive byte for byte, those that were changed on the way anew.
    @Test(arguments: [1, 3]) func encodedUnitsAreTakenOver(_ workers: Int) throws {
        guard Tool.has("qemu-img") else { return print("qemu-img is not installed") }
        let directory = try TemporaryDirectory()
        let bytes = Self.disk()
        let raw = try directory.write("disk.raw", bytes)
        let path = directory.path("disk.vmdk")
        try Tool.run(
            "qemu-img",
            ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", raw, path])
        let source = try ImageProbe.open(path).disk
        // Near the start of the long text's second grain, and behind the middle of its third.
        let text: UInt64 = 5 << 20
        let changes: [UInt64] = [text + 65_636, text + 181_072]
        let overlay = OverlayDevice(source)
        for changed in changes { try overlay.write([1, 2, 3], at: changed) }

        let layout = SinkLayout(
            unit: 65_536, order: .ascending, encoding: .init(codec: .zlib, takesPlainUnits: false))
        let sink = RecordingSink(byteCount: source.byteCount, layout: layout)
        try Converter(source: overlay, sink: sink).run(workers: workers)
        #expect(sink.breaches == [])
        var expected = bytes + [UInt8](repeating: 0, count: Int(source.byteCount) - bytes.count)
        for changed in changes {
            expected.replaceSubrange(Int(changed)..<Int(changed) + 3, with: [1, 2, 3])
        }
        #expect(isSame(try sink.contents(), expected))

        var verbatim = 0
        for unit in sink.encodedUnits {
            guard case .compressed(let theirs) = try source.nextExtent(at: unit.range.lowerBound).kind else {
                Issue.record("\(unit.range) is not compressed in the source")
                continue
            }
            let payload = try source.hostFiles[theirs.file].bytes(
                at: theirs.hostRange.lowerBound,
                count: Int(theirs.hostRange.upperBound - theirs.hostRange.lowerBound))
            if changes.contains(where: { unit.range.contains($0) }) {
                #expect(unit.bytes != payload)
            } else if unit.bytes == payload {
                verbatim += 1
            }
        }
        #expect(verbatim == sink.encodedUnits.count - changes.count)
        #expect(verbatim > 30)
    }

    /// Another encoding, or units of another size: nothing can be taken over, and the disk is the same.
    @Test func unitsThatDoNotFitAreMadeAnew() throws {
        guard Tool.has("qemu-img") else { return print("qemu-img is not installed") }
        let directory = try TemporaryDirectory()
        let bytes = Self.disk()
        let raw = try directory.write("disk.raw", bytes)
        let path = directory.path("disk.qcow2")
        try Tool.run("qemu-img", ["convert", "-c", "-f", "raw", "-O", "qcow2", raw, path])
        let source = try ImageProbe.open(path).disk
        for (codec, unit) in [(Codec.zlib, UInt64(65_536)), (.deflate, 4096), (.deflate, 131_072)] {
            let layout = SinkLayout(unit: unit, encoding: .init(codec: codec, takesPlainUnits: true))
            let sink = RecordingSink(byteCount: source.byteCount, layout: layout)
            try Converter(source: source, sink: sink).run(workers: 2)
            #expect(sink.breaches == [])
            #expect(isSame(try sink.contents(), bytes))
        }
    }

    /// The first error is told, nobody waits for a turn that never comes, and nothing is called complete.
    @Test(arguments: layouts.indices) func aBrokenSinkEndsTheConversion(_ index: Int) throws {
        let source = MemoryDevice(Self.disk())
        for failing in [0, 1] {
            let sink = RecordingSink(
                byteCount: UInt64(Self.size), layout: Self.layouts[index], failing: failing)
            let error = #expect(throws: StorageError.self) {
                try Converter(source: source, sink: sink).run(workers: 4)
            }
            #expect(error?.code == "broken")
            #expect(!sink.isFinished)
            #expect(sink.events.count == failing)
        }
    }

    private final class Asked: Sendable {
        let count = Atomic<Int>(0)
    }

    @Test func aCancelledConversionIsNotFinished() throws {
        let sink = RecordingSink(byteCount: UInt64(Self.size), layout: Self.layouts[1])
        let asked = Asked()
        let converter = try Converter(source: MemoryDevice(Self.disk()), sink: sink)
        #expect(throws: StorageError.cancelled) {
            try Cancellation { asked.count.add(1, ordering: .relaxed).newValue > 10 }
                .covering { () throws(StorageError) in try converter.run(workers: 2) }
        }
        #expect(!sink.isFinished)
        #expect(!sink.events.isEmpty)
    }

    @Test func progressReachesTheEnd() throws {
        let last = Mutex<[UInt64]>([])
        let sink = RecordingSink(byteCount: UInt64(Self.size), layout: Self.layouts[0])
        try Converter(
            source: MemoryDevice(Self.disk()), sink: sink,
            progress: { done, total in
                #expect(done <= total)
                #expect(total == UInt64(Self.size))
                last.withLock { $0.append(done) }
            }
        ).run(workers: 1)
        let seen = last.withLock { $0 }
        #expect(seen == seen.sorted())
        #expect(seen.last == UInt64(Self.size))
    }

    @Test func whatCannotBeIsRefusedBeforeAnythingIsWritten() throws {
        let source = MemoryDevice(byteCount: 1 << 20)
        let small = RecordingSink(byteCount: 1 << 19, layout: SinkLayout(unit: 512))
        #expect(throws: StorageError.self) { try Converter(source: source, sink: small) }
        let coarse = RecordingSink(
            byteCount: 1 << 20,
            layout: SinkLayout(unit: 8 << 20, encoding: .init(codec: .zlib, takesPlainUnits: true)))
        let error = #expect(throws: StorageError.self) { try Converter(source: source, sink: coarse) }
        #expect(error?.code == "unit-too-large")
        let level = RecordingSink(
            byteCount: 1 << 20,
            layout: SinkLayout(unit: 4096, encoding: .init(codec: .zlib, level: 50, takesPlainUnits: true)))
        #expect(throws: StorageError.self) { try Converter(source: source, sink: level).run(workers: 1) }
    }
}
