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
        var damage = try MendedDamage(Self.image(profile).bytes(), seed: 7)
        var outcomes: [String: Int] = [:]
        let clock = ContinuousClock()
        for _ in 0..<150 {
            let device = try damage.next()
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
