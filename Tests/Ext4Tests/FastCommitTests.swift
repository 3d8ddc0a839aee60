import Ext4
import Storage
import TestSupport
import Testing

/// Fast commits behind the log, read without a byte written. The images and what a kernel shows of them after its
/// replay were made by Tests/Scripts/make-fast-commits.sh.
@Suite(.enabled(if: Tool.has("gzip", "sha256sum"), "gzip or sha256sum is missing"))
struct FastCommitTests {
    private func image(_ name: String) throws -> [UInt8] {
        try Tool.run("gzip", ["-dc", "\(Fixture.repository)/Tests/Fixtures/fast-commits/\(name).img.gz"])
            .output
    }

    /// Without the times of directories: a kernel that replays sets them to its own clock's.
    private func timeless(_ lines: Set<[UInt8]>) -> Set<String> {
        Set(
            lines.map { line in
                var fields = String(decoding: line, as: UTF8.self)
                    .split(separator: "\t", omittingEmptySubsequences: false)
                if fields.count > 6, fields[1].hasPrefix("0o4") { fields[6] = "-" }
                return fields.joined(separator: "\t")
            })
    }

    @Test(arguments: ["names", "ranges"])
    func listsAsTheKernelAfterItsReplay(_ name: String) throws {
        let bytes = try image(name)
        let device = MemoryDevice(bytes)
        let volume = try Ext4FileSystem.open(device)
        let listed = timeless(try Listing.lines(of: volume))
        let expected = timeless(
            try Listing.expected("\(Fixture.repository)/Tests/Fixtures/fast-commits/\(name).expect.tsv"))
        #expect(expected.subtracting(listed) == [])
        #expect(listed.subtracting(expected) == [])
        #expect(volume.warnings == [])
        // The full commits alone are not what the kernel shows.
        let error = #expect(throws: StorageError.self) { try volume.recovery() }
        #expect(error?.code == "journal-fast-commit-records")
    }

    /// Names that came or went are found one by one too, and extents are those of the new maps.
    @Test func lookUpAgreesWithTheListing() throws {
        let volume = try Ext4FileSystem.open(MemoryDevice(image("names")))
        let root = volume.rootDirectory
        let directory = try #require(try volume.lookUp(Array("d".utf8), in: root))
        for entry in try volume.entries(of: directory) {
            #expect(try volume.lookUp(entry.name, in: directory) == entry.file)
        }
        for gone in ["f4", "temporary", "gone"] {
            #expect(try volume.lookUp(Array(gone.utf8), in: directory) == nil)
        }
        let made = try #require(try volume.lookUp(Array("made".utf8), in: root))
        #expect(try volume.lookUp([46, 46], in: made) == root)
        #expect(try volume.lookUp([46], in: made) == made)
        #expect(try volume.lookUp(Array("inner".utf8), in: made) == nil)
    }

    /// The check does not count what it cannot see: it says so, and finds nothing wrong.
    @Test(arguments: ["names", "ranges"])
    func checkSaysThatItStopsBefore(_ name: String) throws {
        let report = try Ext4FileSystem.check(MemoryDevice(image(name)))
        #expect(report.isSound)
        #expect(report.findings.contains { $0.code == "fast-commits" && $0.severity == .note })
    }

    /// Later pieces lie over earlier ones, block for block as painted one by one.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func piecesLieOverEachOther(seed: UInt64) {
        var random = SeededRandom(seed)
        var pieces: [(logical: UInt64, count: UInt64, block: UInt64?)] = []
        var painted = [UInt64??](repeating: nil, count: 96)
        for _ in 0..<Int.random(in: 1...60, using: &random) {
            let logical = UInt64.random(in: 0..<80, using: &random)
            let count = UInt64.random(in: 1...16, using: &random)
            let block: UInt64? =
                Bool.random(using: &random) ? UInt64.random(in: 1000..<2000, using: &random) : nil
            pieces.append((logical, count, block))
            for step in 0..<count { painted[Int(logical + step)] = .some(block.map { $0 + step }) }
        }
        let overrides = RangeOverrides(pieces)
        for (logical, expected) in painted.enumerated() {
            #expect(overrides.block(at: UInt64(logical)) == expected, "block \(logical)")
        }
    }

    /// Each piece in front of the last: a journal made to keep a reader busy.
    @Test func aHundredThousandPiecesAreSettledAtOnce() {
        let count: UInt64 = 100_000
        let overrides = RangeOverrides((0..<count).map { (count - $0, 1, 7 * $0) })
        #expect(
            overrides.block(at: 1) == .some(.some(7 * (count - 1)))
                && overrides.block(at: count) == .some(.some(0)))
    }

    /// Records of hostile bytes under right checksums: typed errors, never a trap; with `ignoresChecksums` the rest
    /// is read.
    @Test(arguments: ["names", "ranges"])
    func hostileRecords(_ name: String) throws {
        let bytes = try image(name)
        let journal = try RawExt4(MemoryDevice(bytes)).journalFile()
        var random = SeededRandom(0x6663)
        // The area begins with a head: tag 9, eight bytes.
        let head = try (0..<journal.blockCount).first { block throws in
            try journal.block(block).little(0, as: UInt32.self) == 0x0008_0009
        }
        let areaStart = Int(try #require(head))
        var refused: Set<String> = []
        for _ in 0..<150 {
            var damaged = bytes
            // The first records: those that are read for certain.
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let block = areaStart + Int.random(in: 0..<4, using: &random)
                let offset =
                    Int(try journal.byteOffset(UInt32(block))) + Int.random(in: 0..<1024, using: &random)
                damaged[offset] = Bool.random(using: &random) ? 0xff : .random(in: 0...255, using: &random)
            }
            try Self.mendChecksums(&damaged, journal, from: UInt32(areaStart))
            do throws(StorageError) {
                _ = Walk(try Ext4FileSystem.open(MemoryDevice(damaged)))
            } catch {
                refused.insert(error.code)
                let salvaged = try Ext4FileSystem.open(
                    MemoryDevice(damaged), options: .init(ignoresChecksums: true))
                #expect(salvaged.warnings != [])
                _ = Walk(salvaged)
            }
        }
        #expect(refused.contains("journal-fast-commit-record"), "\(refused)")
    }

    /// Gives every tail the checksum of what precedes it, as far as the records can be followed.
    private static func mendChecksums(
        _ bytes: inout [UInt8], _ journal: JournalFile, from start: UInt32
    ) throws {
        var register: UInt32 = 0
        for block in start..<journal.blockCount {
            let base = Int(try journal.byteOffset(block))
            var offset = 0
            while offset + 4 <= 1024 {
                let tag: UInt16 = bytes.little(base + offset)
                let count = Int(bytes.little(base + offset + 2, as: UInt16.self))
                guard offset + 4 + count <= 1024 else { break }
                if tag == 8, count >= 8 {
                    register = CRC32C.update(
                        register, bytes.span8.extracting(base + offset..<base + offset + 8))
                    bytes.storeLittle(register, at: base + offset + 8)
                    register = 0
                } else {
                    register = CRC32C.update(
                        register, bytes.span8.extracting(base + offset..<base + offset + 4 + count))
                }
                offset += 4 + count
            }
        }
    }
}
