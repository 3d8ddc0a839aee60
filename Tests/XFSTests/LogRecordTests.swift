import Storage
import TestSupport
import Testing

@testable import XFS

/// Records as the kernel's recovery reads them.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct LogRecordTests {
    /// The kernel takes the length of all headers from the record at the tail (xlog_do_recovery_pass): those of one change are
    /// of one length, however little the last record holds.
    @Test(arguments: [Profile.rhel9, .largeSectors, .rhel6])
    func headersOfOneChangeAreOfOneLength(_ profile: Profile) throws {
        let device = try XFSImage(profile).device()
        let volume = try XFSFileSystem.open(device)
        let ring = try #require(try volume.logRing(on: device))
        func sizes(_ byteCount: Int, _ unit: Int = 512) throws -> [UInt32] {
            let buffers = (0..<byteCount / 4096).map { index in
                LogCommit.Buffer(
                    position: UInt64(index) * 4096, bytes: [UInt8](repeating: 7, count: 4096), type: 10)
            }
            let commit = try LogCommit(
                ring, ring.state(), buffers, uuid: volume.geometry.uuid, unit: unit, transaction: 9)
            for record in commit.records {
                // The kernel looks so far back for a header.
                let blocks = record.reduce(0) { $0 + Int($1.byteCount) } / 512
                #expect(blocks <= ring.longestRecordBlockCount, "\(byteCount) bytes")
            }
            return try commit.records.map { try $0[0].bytes().big(LogRecord.Offset.size) }
        }
        for byteCount in [260 << 10, 300 << 10, 700 << 10] {
            let found = try sizes(byteCount)
            #expect(found.count > 1 && Set(found) == [256 << 10], "\(byteCount) bytes: \(found)")
        }
        for byteCount in [250, 252, 256, 260, 511, 512] { _ = try sizes(byteCount << 10, 32 << 10) }
        #expect(try sizes(20 << 10) == [32 << 10])
        #expect(try sizes(100 << 10) == [128 << 10])
    }

    /// An inode in the log whose fork of attributes is a tree's root, and that has no such fork.
    @Test func aRootForAForkThatIsNotThere() throws {
        let device = try XFSImage(.rhel9, files: ["file": [1]]).device()
        let volume = try XFSFileSystem.open(device)
        let file = try volume.inode(InodeNumber(#require(try volume.find("file")).rawValue))
        let ring = try #require(try volume.logRing(on: device))
        let state = try ring.state()
        var format = [UInt8](repeating: 0, count: 56)
        format.storeLittle(LogItemType.inode, at: 0)
        format.storeLittle(UInt16(3), at: 2)
        format.storeLittle(UInt32(1 | 0x100), at: 4)
        format.storeLittle(file.number.rawValue, at: 16)
        format.storeLittle(file.position / 16384 * 32, at: 40)
        format.storeLittle(UInt32(32), at: 48)
        var core = [UInt8](repeating: 0, count: 176)
        core.storeLittle(Inode.magic, at: 0)
        core.storeLittle(UInt16(0o100_644), at: 2)
        core[Inode.Offset.version] = 3
        core[Inode.Offset.format] = 2
        var head = [UInt8](repeating: 0, count: 16)
        head.storeLittle(LogTransaction.headerMagic, at: 0)
        head.storeLittle(UInt32(1), at: 12)
        var payload: [UInt8] = []
        let root = [UInt8](repeating: 0, count: 136)
        for (flags, bytes) in [(UInt8(1), []), (0, head), (0, format), (0, core), (0, root), (2, [])] {
            var operation = [UInt8](repeating: 0, count: 12)
            operation.storeBig(UInt32(5), at: 0)
            operation.storeBig(UInt32(bytes.count), at: 4)
            operation[8] = 0x69
            operation[9] = flags
            payload += operation + bytes
        }
        let record = try LogRecordWriter(
            ring, at: state.head, cycle: state.cycle,
            tail: LogSequence(cycle: state.cycle, block: state.head), previous: nil, payload: payload,
            operationCount: 6, uuid: volume.geometry.uuid, unit: 512)
        for write in record.writes { try device.write(write.bytes(), at: write.offset) }
        #expect(code { _ = try XFSFileSystem.open(device) } == "bad-log")
        var codes: [String] = []
        try XFSDriver.check(device) { codes.append($0.code) }
        #expect(codes == ["bad-log"])
    }

    /// On a ring that was written round the kernel looks no longer than a record back for its header: a change of several records,
    /// cut behind any of them, leaves a log whose end is found, and the old tree.
    @Test(arguments: [Profile.rhel9, .largeSectors]) func cutsOnAWrappedRing(_ profile: Profile) throws {
        let device = try XFSImage(profile).device()
        try Self.writeRound(device)
        let prepared = try Self.severalRecords(device, linkCount: 300)
        try #require(prepared.writes.phases.contains { $0.name == "log begun" })
        for phase in prepared.writes.phases {
            for write in phase.writes { try device.write(write.bytes(), at: write.offset) }
            let found = try XFSFileSystem.open(device)
            let isNew = ["log", "home", "unmount"].contains(phase.name)
            #expect(
                try found.entries(of: found.rootDirectory).count == (isNew ? 300 : 0), "\(phase.name)")
        }
        #expect(try XFSImage(device.contents).defects() == "")
    }

    /// Fills the ring with records of nothing until it was written round.
    static func writeRound(_ device: MemoryDevice) throws {
        var head = 0
        var wraps = 0
        while wraps < 1 || head < 2000 {
            let volume = try XFSFileSystem.open(device)
            let ring = try #require(try volume.logRing(on: device))
            let commit = try LogCommit(
                ring, ring.state(), [], uuid: volume.geometry.uuid, unit: 128 << 10, transaction: 7)
            for write in commit.stamps + commit.records.joined() + commit.unmount {
                try device.write(write.bytes(), at: write.offset)
            }
            if commit.stateAfter.head < head { wraps += 1 }
            head = commit.stateAfter.head
        }
    }

    /// A change that takes more than one record: links whose targets lie in blocks.
    static func severalRecords(_ device: MemoryDevice, linkCount: Int) throws -> PreparedXFSChange {
        let volume = try XFSFileSystem.open(device)
        let transaction = try volume.begin()
        for number in 0..<linkCount {
            _ = try transaction.createSymbolicLink(
                Array("a name that takes some room \(number)".utf8), in: volume.rootDirectory,
                target: [UInt8](repeating: UInt8(number % 200 + 1), count: 1000),
                attributes: NewFileAttributes(permissions: 0o777))
        }
        return try #require(try transaction.prepare() as? PreparedXFSChange)
    }
}
