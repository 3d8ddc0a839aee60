import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// Streams that are cut off or damaged, read as far as they are there.
@Suite(.enabled(if: Tool.has("python3"), "python3 is not installed"))
struct VMDKSalvageTests {
    private static let grain = 65536

    private struct Stream {
        var disk: [UInt8]
        var bytes: [UInt8]
        /// Where each grain begins and ends in the stream; those of zeros are not there.
        var places: [Int: Range<Int>]
    }

    /// A disk of 40 grains and a bit: every third one is zeros.
    private static func stream(
        _ directory: TemporaryDirectory, _ place: VMDKStreamTests.Place = .footer, hasMarkers: Bool = true
    ) throws -> Stream {
        var random = SeededRandom(77)
        var disk = [UInt8](repeating: 0, count: 40 * grain + 1024)
        for index in 0...40 where index % 3 != 1 {
            let end = min((index + 1) * grain, disk.count)
            disk.replaceSubrange(
                index * grain..<end, with: random.block(end - index * grain).map { $0 & 31 | 1 })
        }
        var payloads: [Int: [UInt8]] = [:]
        let bytes = try VMDKStreamTests.stream(disk, place: place, hasMarkers: hasMarkers) { index, bytes in
            let payload = try VMDKStreamTests.zlib(bytes, directory)
            payloads[index] = payload
            return payload
        }
        var places: [Int: Range<Int>] = [:]
        for (index, payload) in payloads {
            let start = try #require(
                stride(from: 1024, to: bytes.count, by: 512).first {
                    bytes.little($0, as: UInt64.self) == UInt64(index * 128)
                        && bytes.little($0 + 8, as: UInt32.self) == UInt32(payload.count)
                })
            places[index] = start..<start + 12 + payload.count
        }
        return Stream(disk: disk, bytes: bytes, places: places)
    }

    private static func open(_ bytes: [UInt8]) throws -> OpenedImage {
        var options = ImageOpenOptions(files: NoOtherFiles())
        options.isSalvage = true
        return try ImageProbe.driver(for: .vmdk).open(MemoryFile(bytes, path: "/s.vmdk"), options: options)
    }

    /// The grains that are read, each of which is the disk's own.
    private static func readable(_ bytes: [UInt8], _ stream: Stream) throws -> Set<Int> {
        let image = try open(bytes)
        #expect(image.disk.byteCount == UInt64(stream.disk.count))
        var found: Set<Int> = []
        for index in 0...40 {
            let range = index * grain..<min((index + 1) * grain, stream.disk.count)
            do throws(StorageError) {
                let read = try image.disk.bytes(at: UInt64(range.lowerBound), count: range.count)
                let isRight = read == Array(stream.disk[range])
                #expect(isRight, "grain \(index)")
                found.insert(index)
            } catch {
                #expect(error.kind == .corrupt)
            }
        }
        return found
    }

    /// At every cut: what lies before it is read, zeros between grains too, and nothing behind it is taken for zeros.
    @Test(arguments: [VMDKStreamTests.Place.footer, .end, .front]) func cuts(_ place: VMDKStreamTests.Place)
        throws
    {
        let stream = try Self.stream(try TemporaryDirectory(), place)
        let first = try #require(stream.places[0]?.lowerBound)
        let last = try #require(stream.places.values.map(\.upperBound).max())
        var cuts = Array(stride(from: first, to: stream.bytes.count, by: 7777))
        cuts += stream.places.values.flatMap {
            [$0.lowerBound, $0.lowerBound + 11, $0.upperBound - 1, $0.upperBound]
        }
        for cut in Set(cuts).sorted() {
            let found = try Self.readable(Array(stream.bytes.prefix(cut)), stream)
            let there = Set(stream.places.filter { $0.value.upperBound <= cut }.keys)
            let end = there.max() ?? -1
            if place == .front {
                // Its tables say which grains are zeros.
                #expect(found == there.union(Set(0...40).subtracting(stream.places.keys)), "cut at \(cut)")
            } else if cut < last {
                #expect(found == Set(0...40).filter { $0 <= end }, "cut at \(cut)")
            } else {
                #expect(found.isSuperset(of: there))
            }
        }
    }

    /// Zeros over any part of the grains: the others are read, those beside the damage are not told to be zeros.
    @Test(arguments: [1, 600, 70_000, 300_000]) func holes(_ count: Int) throws {
        let stream = try Self.stream(try TemporaryDirectory(), .footer)
        let first = try #require(stream.places[0]?.lowerBound)
        let last = try #require(stream.places.values.map(\.upperBound).max())
        for start in stride(from: first, to: last, by: 99_999) {
            var bytes = stream.bytes
            let hole = start..<min(start + count, last)
            bytes.replaceSubrange(hole, with: repeatElement(0, count: hole.count))
            // Without the footer nothing but the grains themselves says where they are.
            bytes.removeLast(1024)
            let found = try Self.readable(bytes, stream)
            let there = stream.places.filter { !$0.value.overlaps(hole) }.keys
            #expect(found.isSuperset(of: there), "hole at \(start)")
        }
    }

    /// The footer, the directory or a table alone is lost: all grains are there.
    @Test func tablesThatAreLost() throws {
        let stream = try Self.stream(try TemporaryDirectory(), .footer)
        let count = stream.bytes.count
        // From the end: end of stream, footer, its marker, directory, its marker, table of four sectors, its marker.
        for lost in [1024..<1536, 1024..<2560, 1024..<3072, 1024..<5120, 2048..<2560, 3072..<5120] {
            var bytes = stream.bytes
            let range =
                count - lost.upperBound..<count - lost.lowerBound + (lost.lowerBound == 1024 ? 512 : 0)
            bytes.replaceSubrange(range, with: repeatElement(0, count: range.count))
            let found = try Self.readable(bytes, stream)
            #expect(found.isSuperset(of: stream.places.keys), "\(lost)")
        }
        let warnings = try Self.open(Array(stream.bytes.dropLast(1024))).info.warnings
        #expect(
            warnings == [
                "the stream's grain directory is lost; 27 grains were found by going over the stream"
            ])
    }

    /// Grains in no order: one that is not there may have come later.
    @Test func grainsInNoOrder() throws {
        let stream = try Self.stream(try TemporaryDirectory(), .footer)
        let order = stream.places.keys.sorted()
        var bytes = Array(stream.bytes.prefix(try #require(stream.places[0]?.lowerBound)))
        for index in order.prefix(20).reversed() {
            let place = try #require(stream.places[index])
            bytes += stream.bytes[place] + [UInt8](repeating: 0, count: (512 - place.count % 512) % 512)
        }
        #expect(try Self.readable(bytes, stream) == Set(order.prefix(20)))
    }

    /// What is not asked for is not done, and a stream without markers says nothing of its grains.
    @Test func withoutSalvage() throws {
        let directory = try TemporaryDirectory()
        let stream = try Self.stream(directory)
        let path = try directory.write("cut.vmdk", Array(stream.bytes.prefix(stream.bytes.count / 2)))
        #expect(VMDKFixtures.openCode(path) == "footer")
        var plain = try VMDKStreamTests.stream(stream.disk, place: .footer, hasMarkers: false) { _, bytes in
            try VMDKStreamTests.zlib(bytes, directory)
        }
        plain.removeLast(4096)
        #expect(throws: StorageError.self) { try Self.open(plain) }
    }

    /// VMware gives a stream its magic number last.
    @Test func aStreamThatWasNotFinished() throws {
        let stream = try Self.stream(try TemporaryDirectory())
        var bytes = Array(stream.bytes.prefix(stream.bytes.count / 2))
        bytes.replaceSubrange(0..<4, with: Array("vmdk".utf8))
        #expect(try Self.readable(bytes, stream).count > 10)
    }
}
