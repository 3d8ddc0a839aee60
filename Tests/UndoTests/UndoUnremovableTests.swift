import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// Whether names can be protected here, as in a directory of somebody else's.
private let canProtect: Bool = {
    guard Tool.has("chattr"), let directory = try? TemporaryDirectory(),
        (try? Tool.run("chattr", ["+a", directory.root])) != nil
    else { return false }
    return (try? Tool.run("chattr", ["-a", directory.root])) != nil
}()

/// The image may be written, and the directory that it lies in may not: its record cannot be removed.
@Suite(.enabled(if: canProtect, "names cannot be protected here"))
struct UndoUnremovableTests {
    @Test(arguments: [1, 2], [UndoRecord.State.done, .hot])
    func aRecordThatStaysSaysThatItIsNothing(_ count: Int, _ state: UndoRecord.State) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", [UInt8](repeating: 1, count: 9000))
        for value in 0..<count {
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file])
            try file.write([UInt8(value) + 2], at: 1000)
            try transaction.commit()
        }
        if state == .hot { try UndoRecord.setState(.hot, ofRecord: path + ".undo") }
        try Tool.run("chattr", ["+a", directory.root])
        defer { _ = try? Tool.run("chattr", ["-a", directory.root]) }
        for _ in 0..<count { #expect(try UndoRecord.undo([try RecordedFile.open(path)]).count == 1) }
        #expect(try fileBytes(path) == [UInt8](repeating: 1, count: 9000))
        #expect(HostDirectory.exists(path + ".undo"))
        for _ in 0..<2 { #expect(try UndoRecord.undo([try RecordedFile.open(path)]).isEmpty) }
        #expect(try UndoRecord.read(for: path)?.isCutOff == false)
        // The next change goes on with it.
        let file = try RecordedFile.open(path)
        let transaction = try HostTransaction([file])
        try file.write([9], at: 1000)
        try transaction.commit()
        #expect(try UndoRecord.undo([file]).count == 1)
        #expect(try fileBytes(path) == [UInt8](repeating: 1, count: 9000))
        try Tool.run("chattr", ["-a", directory.root])
        #expect(try UndoRecord.undo([file]).isEmpty)
        #expect(!HostDirectory.exists(path + ".undo"))
    }
}
