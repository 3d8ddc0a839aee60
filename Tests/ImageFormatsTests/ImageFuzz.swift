import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// Opens mutated images, walks them, reads and writes: whatever happens, it is a typed error, and soon.
enum ImageFuzz {
    /// Mutates `count` times up to 6 fields within `regions` of `seed image`, `repair` putting checksums right in half
    /// of the cases, so that what lies behind them is reached.
    static func run(
        _ original: [UInt8], regions: [Range<Int>], count: Int, seed: UInt64, format: ImageFormat,
        references: ReferencePolicy = .refuse, name: String, _ directory: TemporaryDirectory,
        repair: (inout [UInt8]) -> Void
    ) throws {
        var random = SeededRandom(seed)
        var opened = 0
        for _ in 0..<count {
            var bytes = original
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                guard let region = regions.randomElement(using: &random) else { continue }
                let size = [1, 2, 4, 8].randomElement(using: &random) ?? 1
                let at = Int.random(in: region, using: &random) / size * size
                let values: [UInt64] = [
                    0, .max, 1, 1 << 63, 0x7fff_ffff, random.next(), random.next() & 0xffff,
                    1 << UInt64.random(in: 0...63, using: &random),
                ]
                let value = values.randomElement(using: &random) ?? 0
                for index in 0..<size where at + index < bytes.count {
                    bytes[at + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
                }
            }
            if Bool.random(using: &random) { repair(&bytes) }
            if Int.random(in: 0..<10, using: &random) == 0 {
                bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
            }
            let path = try directory.write(name, bytes)
            do throws(StorageError) {
                let options = ImageOpenOptions(access: .write, locking: .ignore, references: references)
                _ = try ImageProbe.describe(path, format: format, locking: .ignore)
                try ImageProbe.check(path, format: format, locking: .ignore) { #expect(!$0.code.isEmpty) }
                if Int.random(in: 0..<4, using: &random) == 0 {
                    let image = try ImageProbe.open(path, format: format, options: options)
                    let more = UInt64.random(in: 1...90_000, using: &random) * 4096
                    if let size = image.disk.byteCount +? more { try ImageProbe.grow(image, to: size) }
                }
                let disk = try ImageProbe.open(path, format: format, options: options).disk
                opened += 1
                try exercise(disk, &random)
            } catch {
                #expect(!error.code.isEmpty)
            }
        }
        #expect(opened > 0, "no mutation could be opened: the fuzzing is too coarse")
    }

    private static func exercise(_ disk: Image, _ random: inout SeededRandom) throws(StorageError) {
        var position: UInt64 = 0
        for _ in 0..<200 where position < disk.byteCount {
            let extent = try disk.nextExtent(at: position)
            #expect(extent.range.lowerBound == position && extent.range.upperBound > position)
            #expect(extent.range.upperBound <= disk.byteCount)
            if case .plain = extent.kind {
                let count = Int(min(extent.range.upperBound - position, 4096))
                _ = try disk.bytes(at: position, count: count)
            }
            position = extent.range.upperBound
        }
        for _ in 0..<4 {
            let offset = UInt64.random(in: 0..<disk.byteCount, using: &random)
            let count = Int(min(disk.byteCount - offset, 5000))
            try disk.write([UInt8](repeating: 0x5a, count: count), at: offset)
        }
        try disk.flush()
    }
}
