import Storage
import TestSupport
import Testing

@testable import XFS

/// Damage whose checksums were mended: typed errors or findings, never a trap, and an end.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct FuzzTests {
    /// A volume with a bit of everything.
    static func image(_ profile: Profile) throws -> XFSImage {
        let more =
            XFSImage.directory("short", 3) + XFSImage.directory("block", 30) + XFSImage.directory("leaf", 300)
            + XFSImage.directory("node", profile.blockSize == 512 ? 300 : 2000)
            + ["link l--777 0 0 target"]
        let image = try XFSImage(
            profile, files: ["file": TreeModel.contents(9000), "many": TreeModel.contents(3)], more: more)
        let volume = try XFSFileSystem.open(image.device())
        let many = try #require(try volume.find("many"))
        try image.edit(
            ["inode \(many)"] + (0..<120).map { "attr_set -u -v 60 name\($0)" } + ["attr_set -r -v 9000 big"])
        return image
    }

    @Test(arguments: [Profile.rhel10, .rhel7, .smallBlocks, .tinyBlocks])
    func mendedDamage(_ profile: Profile) throws {
        let bytes = try Self.image(profile).bytes()
        let base = MemoryDevice(bytes)
        let geometry = try #require(try Superblock.read(from: base)).geometry()
        let log = try #require(try XFSFileSystem.open(base).logRing(on: base))
        let logRange = log.position(of: 0)..<log.position(of: 0) + UInt64(log.count * 512)
        let unit = geometry.blockSize
        let blocks = stride(from: 0, to: bytes.count, by: unit).filter { start in
            !logRange.contains(UInt64(start)) && bytes[start..<start + unit].contains { $0 != 0 }
        }
        var random = SeededRandom(7)
        var outcomes: [String: Int] = [:]
        let clock = ContinuousClock()
        for _ in 0..<150 {
            let device = OverlayDevice(base)
            let start = try #require(blocks.randomElement(using: &random))
            var block = Array(bytes[start..<start + unit])
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                // Headers are short: most damage goes there.
                let limit = Bool.random(using: &random) ? min(128, unit) : unit
                let place = Int.random(in: 0..<limit, using: &random)
                let values: [UInt8] = [0, 1, 2, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &random)]
                block[place] = values.randomElement(using: &random) ?? 0
            }
            try device.write(Mending.mend(block, at: start, geometry), at: UInt64(start))
            let spent = clock.measure {
                outcomes[walk(device), default: 0] += 1
                do { try XFSDriver.check(device) { _ in } } catch { #expect(error is StorageError) }
            }
            #expect(spent < .seconds(20))
        }
        #expect(outcomes.count > 1, "\(outcomes)")
    }

    /// Reads all that there is; what it ends with.
    private func walk(_ device: any BlockDevice) -> String {
        code {
            let volume = try XFSFileSystem.open(device)
            var pending = [volume.rootDirectory]
            var seen: Set<FileID> = []
            while let directory = pending.popLast(), seen.count < 10_000 {
                guard seen.insert(directory).inserted else { continue }
                for entry in try volume.entries(of: directory, limit: 20_000) {
                    let attributes = try volume.attributes(of: entry.file)
                    _ = try volume.extendedAttributes(of: entry.file)
                    switch attributes.type {
                    case .directory: pending.append(entry.file)
                    case .regular: _ = try volume.head(of: entry.file, byteCount: 1 << 16)
                    case .symbolicLink: _ = try volume.symbolicLinkTarget(of: entry.file)
                    default: break
                    }
                }
            }
        }
    }

    /// A log that lies: records whose checksums are right and whose words are not.
    @Test(
        .enabled(if: SharedSamples.present, "\(SharedSamples.skipMessage)"),
        arguments: ["d_shutdown", "d_v4"])
    func mendedLogs(_ name: String) throws {
        let directory = try TemporaryDirectory()
        let base = try SparseDevice(SharedSamples.unpack("xfs/\(name).img.zst", into: directory))
        let plain = try XFSFileSystem.openIgnoringLog(base, options: .init())
        let ring = try #require(try plain.logRing(on: base))
        let state = try ring.state()
        var records: [LogRecord] = []
        var block = state.tail
        while block != state.head, let record = try ring.record(at: block) {
            records.append(record)
            block = ring.wrapped(block + record.blockCount)
        }
        try #require(records.count > 1)
        var random = SeededRandom(11)
        var outcomes: [String: Int] = [:]
        for _ in 0..<60 {
            let record = try #require(records.randomElement(using: &random))
            var bytes = try ring.bytes(record.block, record.blockCount)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let limit = Bool.random(using: &random) ? min(1200, bytes.count) : bytes.count
                let place = Int.random(in: 4..<limit, using: &random)
                bytes[place] =
                    [0, 1, 0xff, UInt8.random(in: 0...255, using: &random)]
                    .randomElement(using: &random) ?? 0
            }
            if plain.geometry.hasChecksums {
                let length = min(
                    Int(bytes.big(LogRecord.Offset.length, as: UInt32.self)),
                    bytes.count - record.headerBlockCount * 512)
                let payload = Array(bytes[(record.headerBlockCount * 512)...].prefix(max(length, 0)))
                bytes.storeLittle(
                    LogRing.checksum(bytes, headerEnd: 328, payload: payload, isVersion2: ring.isVersion2),
                    at: LogRecord.Offset.checksum)
            }
            let device = OverlayDevice(base)
            for index in 0..<record.blockCount {
                let place = ring.position(of: ring.wrapped(record.block + index))
                try device.write(Array(bytes[index * 512..<index * 512 + 512]), at: place)
            }
            outcomes[walk(device), default: 0] += 1
        }
        #expect(outcomes.count > 1, "\(outcomes)")
    }
}

/// Gives damaged blocks the checksums that they would have.
enum Mending {
    static func mend(_ block: [UInt8], at position: Int, _ geometry: Geometry) -> [UInt8] {
        guard geometry.hasChecksums else { return block }
        var result = block
        // A block may be sectors of a group's head, inodes, or one structure.
        let unit =
            [0x5846_5342, 0x5841_4746, 0x5841_4749, 0x5841_464c].contains(block.big(0, as: UInt32.self))
            ? geometry.sectorSize
            : block.big(0, as: UInt16.self) == Inode.magic ? geometry.inodeSize : block.count
        for start in stride(from: 0, to: block.count, by: unit) {
            var part = Array(result[start..<start + unit])
            if unit == geometry.inodeSize, part.big(0, as: UInt16.self) == Inode.magic {
                Checksum.update(&part, at: Inode.Offset.checksum)
            } else if let kind = BufferKind(part, geometry) {
                Checksum.update(&part, at: kind.checksum)
            }
            result.replaceSubrange(start..<start + unit, with: part)
        }
        return result
    }
}
