import ImageFormats
import Storage
import TestSupport
import Testing

/// Logs written by hand: which entries count, and what they do.
struct VHDXLogTests {
    private let guid = Array(1...16 as ClosedRange<UInt8>)
    private let table = UInt64(VHDXFixture.table)

    /// A disk whose headers name a log with `entries` at these places of it.
    private func disk(_ entries: [(at: Int, bytes: [UInt8])], _ directory: TemporaryDirectory) throws
        -> [UInt8]
    {
        var bytes = try VHDXFixture.dynamic(directory)
        for entry in entries {
            for (index, byte) in entry.bytes.enumerated() {
                // The log is a ring of 1 MiB.
                bytes[VHDXFixture.log + (entry.at + index) % (1 << 20)] = byte
            }
        }
        VHDXFixture.changeHeaders(&bytes) { $0.replaceSubrange($1 + 48..<$1 + 64, with: guid) }
        return bytes
    }

    private func page(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 4096) }

    private func entry(
        _ sequence: UInt64, tail: Int = 0, size: UInt64 = 6 << 20, pages: [(UInt64, UInt8)] = [],
        zeros: [(UInt64, UInt64)] = []
    ) -> [UInt8] {
        VHDXFixture.entry(
            guid: guid, sequence: sequence, tail: UInt32(tail), fileSize: size,
            pages: pages.map { (offset: $0.0, bytes: page($0.1)) },
            zeros: zeros.map { (offset: $0.0, count: $0.1) })
    }

    /// What block 5, the first in the file, reads as.
    private func block(_ bytes: [UInt8], _ directory: TemporaryDirectory, writing: Bool = false) throws
        -> [UInt8]
    {
        let path = try directory.write("log.vhdx", bytes)
        if writing {
            let disk = try open(path, .write).disk
            try disk.write([9], at: 8191 << 10)
            try disk.flush()
        }
        return try open(path).disk.bytes(at: 5 << 20, count: 64 << 10)
    }

    private let first = UInt64(VHDXFixture.data)

    @Test(arguments: [true, false])
    func dataAndZerosInPayload(writing: Bool) throws {
        let directory = try TemporaryDirectory()
        let old = Array(try VHDXFixture.dynamic(directory)[VHDXFixture.data..<VHDXFixture.data + 65536])
        let bytes = try disk(
            [(0, entry(7, pages: [(first + 8192, 0x11)], zeros: [(first + 4096, 16384)]))], directory)
        var expected = old
        expected.replaceSubrange(4096..<20480, with: [UInt8](repeating: 0, count: 16384))
        expected.replaceSubrange(8192..<12288, with: page(0x11))
        #expect(isSame(try block(bytes, directory, writing: writing), expected))
    }

    @Test func aSequenceAroundTheEndIsReplayedFromItsTail() throws {
        let directory = try TemporaryDirectory()
        let old = Array(try VHDXFixture.dynamic(directory)[VHDXFixture.data..<VHDXFixture.data + 65536])
        let start = (1 << 20) - 24576
        // Numbers 4 to 7; the last says that replaying begins at 5. It wraps around the end of the log.
        let bytes = try disk(
            [
                (start, entry(4, tail: start, pages: [(first, 0x44)])),
                (start + 8192, entry(5, tail: start, pages: [(first + 4096, 0x55)])),
                (start + 16384, entry(6, tail: start, pages: [(first + 8192, 0x66), (first + 4096, 0x56)])),
                (start + 28672, entry(7, tail: start + 8192, pages: [(first + 12288, 0x77)])),
            ], directory)
        var expected = old
        expected.replaceSubrange(4096..<8192, with: page(0x56))
        expected.replaceSubrange(8192..<12288, with: page(0x66))
        expected.replaceSubrange(12288..<16384, with: page(0x77))
        #expect(isSame(try block(bytes, directory), expected))
        #expect(isSame(try block(bytes, directory, writing: true), expected))
    }

    @Test func ofSeveralSequencesTheNewestCounts() throws {
        let directory = try TemporaryDirectory()
        let bytes = try disk(
            [
                (0, entry(3, tail: 0, pages: [(first, 0x33)])),
                (8192, entry(4, tail: 0, pages: [(first, 0x34)])),
                (40960, entry(90, tail: 40960, pages: [(first, 0x90)])),
                (81920, entry(20, tail: 81920, pages: [(first, 0x20)])),
            ], directory)
        #expect(try block(bytes, directory)[0..<4096].allSatisfy { $0 == 0x90 })
    }

    @Test func entriesThatAreNotWholeDoNotCount() throws {
        let directory = try TemporaryDirectory()
        let good = entry(3, pages: [(first, 0x33)])
        let old = Array(try VHDXFixture.dynamic(directory)[VHDXFixture.data..<VHDXFixture.data + 65536])
        func reads(_ entries: [(at: Int, bytes: [UInt8])]) throws -> [UInt8] {
            try block(try disk(entries, directory), directory)
        }
        // Bad sum; another log's; a data sector of another entry; its tail is nowhere.
        var torn = good
        torn[5000] ^= 1
        #expect(isSame(try reads([(0, torn)]), old))
        var foreign = good
        foreign[40] ^= 1
        VHDXFixture.sealEntry(&foreign, at: 0, count: foreign.count)
        #expect(isSame(try reads([(0, foreign)]), old))
        var mixed = good
        mixed.storeLittle(UInt32(2), at: 8188)
        VHDXFixture.sealEntry(&mixed, at: 0, count: mixed.count)
        #expect(isSame(try reads([(0, mixed)]), old))
        #expect(isSame(try reads([(0, entry(3, tail: 8192, pages: [(first, 0x33)]))]), old))
        // The newest is torn: the one before it counts.
        #expect(try reads([(0, good), (8192, torn)])[0] == 0x33)
    }

    @Test func theFileGrowsToWhatTheLogSays() throws {
        let directory = try TemporaryDirectory()
        // The table gets block 7 at 6 MiB, where the file ends; the file's new length was lost.
        var page = Array(try VHDXFixture.dynamic(directory)[VHDXFixture.table..<VHDXFixture.table + 4096])
        page.storeLittle(UInt64(6 << 20 | 6), at: 7 * 8)
        var log = VHDXFixture.entry(
            guid: guid, sequence: 1, tail: 0, fileSize: 7 << 20, pages: [(offset: table, bytes: page)])
        log.storeLittle(UInt64(6 << 20), at: 48)
        VHDXFixture.sealEntry(&log, at: 0, count: log.count)
        let path = try directory.write("grow.vhdx", try disk([(0, log)], directory))
        let image = try open(path, .write)
        #expect(try image.disk.bytes(at: 7 << 20, count: 4096) == [UInt8](repeating: 0, count: 4096))
        try image.disk.write([1], at: 7 << 20)
        try image.disk.flush()
        #expect(try fileBytes(path).count == 7 << 20)
        #expect(try open(path).disk.bytes(at: 7 << 20, count: 2) == [1, 0])
        try Tool.run("qemu-img", ["check", "-f", "vhdx", path])
    }

    @Test func refusals() throws {
        let directory = try TemporaryDirectory()
        func code(_ bytes: [UInt8]) throws -> String? {
            let path = try directory.write("bad.vhdx", bytes)
            return #expect(throws: StorageError.self) { try open(path) }?.code
        }
        #expect(
            try code(disk([(0, entry(1, size: 7 << 20, pages: [(first, 1)]))], directory)) == "file-truncated"
        )
        for target in [0, 65536, UInt64(VHDXFixture.log), first + 512] as [UInt64] {
            #expect(try code(disk([(0, entry(1, pages: [(target, 1)]))], directory)) == "log-entry")
        }
        #expect(try code(disk([(0, entry(1, zeros: [(first, 4096 + 512)]))], directory)) == "log-entry")
        let zeros = (0..<5000).map { (first + UInt64($0) * 8192, UInt64(4096)) }
        #expect(try code(disk([(0, entry(1, size: 6 << 20, zeros: zeros))], directory)) == "log-too-large")
        var bytes = try disk([(0, entry(1, pages: [(first, 1)]))], directory)
        VHDXFixture.changeHeaders(&bytes) { $0.storeLittle(UInt16(1), at: $1 + 64) }
        #expect(try code(bytes) == "log-version")
        bytes = try disk([], directory)
        VHDXFixture.changeHeaders(&bytes) { $0.storeLittle(UInt64(4096), at: $1 + 72) }
        #expect(try code(bytes) == "log-place")
        bytes = try disk([], directory)
        bytes += [UInt8](repeating: 0, count: 1 << 20)
        VHDXFixture.changeHeaders(&bytes) { $0.storeLittle(UInt64(6 << 20), at: $1 + 72) }
        // Nonzero GUID, nothing valid in the log: nothing to do.
        #expect(try open(try directory.write("empty.vhdx", bytes)).info.warnings == [])
    }
}
