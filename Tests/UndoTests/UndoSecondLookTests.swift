import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// What nobody used when it was opened may be in use when it is written: the host is asked once more right before the first
/// byte, be it of a change, of taking one back, or of rolling back one that was cut off.
@Suite(
    .serialized,
    .enabled(
        if: LoopDevices.areThere && HalfChanged.attributesAreKept,
        "needs root, loop devices, and a temporary folder that keeps attributes"))
struct UndoSecondLookTests {
    /// Refused as long as the file is attached, with file and records as they were; then done.
    private static func isRefused(_ paths: [String], _ body: () throws -> Void) throws {
        let device = try LoopDevices.attach(paths[0])
        defer { _ = try? Tool.run("losetup", ["-d", device]) }
        func state() throws -> [[UInt8]] {
            try (paths + paths.map { $0 + ".undo" }).filter(HostDirectory.exists).map(fileBytes)
        }
        let before = try state()
        let error = #expect(throws: StorageError.self) { try body() }
        #expect(error?.code == "mounted" && error?.message.contains(device) == true)
        #expect(try state() == before)
    }

    @Test func beforeAChange() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", [UInt8](repeating: 1, count: 9000))
        let file = try RecordedFile.open(path)
        try Self.isRefused([path]) {
            let transaction = try HostTransaction([file])
            try file.write([2], at: 5000)
            try transaction.commit()
        }
        #expect(try UndoRecord.read(for: path) == nil)
        let transaction = try HostTransaction([file])
        try file.write([2], at: 5000)
        try transaction.commit()
        // Nor before it is taken back.
        try Self.isRefused([path]) { _ = try UndoRecord.undo([file]) }
        #expect(try UndoRecord.undo([file]).count == 1)
        #expect(try fileBytes(path) == [UInt8](repeating: 1, count: 9000))
    }

    /// Of several files any of them.
    @Test(arguments: [0, 1]) func beforeACutOffChangeGoesBack(_ index: Int) throws {
        let half = try HalfChanged(count: 2)
        let files = try half.paths.map { try RecordedFile.open($0) }
        let order = [half.paths[index], half.paths[1 - index]]
        try Self.isRefused(order) { _ = try UndoRecord.undo(files) }
        #expect(try half.paths.map(fileBytes) == half.half)
        #expect(try UndoRecord.undo(files).count == 2)
        #expect(try half.paths.map(fileBytes) == half.before)
    }

    @Test func beforeTheNextOpeningGoesOn() throws {
        let half = try HalfChanged()
        let file = try RecordedFile.open(half.paths[0])
        try Self.isRefused(half.paths) { _ = try UndoRecord.recover(file) }
        #expect(try UndoRecord.recover(file) == .rolledBack)
        #expect(try fileBytes(half.paths[0]) == half.before[0])
    }
}
