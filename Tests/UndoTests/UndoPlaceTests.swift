import Foundation
import HostIO
import Storage
import TestSupport
import Testing
import Undo

/// Records lie where a power cut leaves them: beside the file itself, or for a device in a directory on a disk.
struct UndoPlaceTests {
    @Test func behindALinkTheRecordIsBesideTheFile() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("images/a.img", [UInt8](repeating: 1, count: 4096))
        let link = directory.path("link.img")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        do {
            let file = try RecordedFile.open(link)
            let transaction = try HostTransaction([file])
            try file.write([2], at: 5)
            try transaction.commit()
        }
        #expect(FileManager.default.fileExists(atPath: path + ".undo"))
        #expect(!FileManager.default.fileExists(atPath: link + ".undo"))
        #expect(try UndoRecord.undo([try RecordedFile.open(path)]).count == 1)
        #expect(try fileBytes(path) == [UInt8](repeating: 1, count: 4096))
    }

    @Test(.enabled(if: LoopDevices.areThere, "needs root and loop devices"))
    func ofADevice() throws {
        let directory = try TemporaryDirectory()
        let disk = try directory.write("disk.img", [UInt8](repeating: 1, count: 1 << 20))
        let device = try Tool.run("losetup", ["-f", "--show", disk]).text.filter { $0 != "\n" }
        defer { _ = try? Tool.run("losetup", ["-d", device]) }
        let link = directory.path("link.raw")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: device)
        let records = directory.path("records")
        try FileManager.default.createDirectory(atPath: records, withIntermediateDirectories: true)
        let place = UndoPlace(deviceDirectory: records)
        func change(_ place: UndoPlace, _ value: UInt8) throws {
            let file = try RecordedFile.open(link)
            let transaction = try HostTransaction([file], records: place)
            try file.write([value], at: 70_000)
            try transaction.commit()
        }
        let before = try HostFile.open(device).bytes(at: 0, count: 1 << 20)
        for value in [UInt8(2), 3] { try change(place, value) }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: records) == [
                HostPath.name(of: device) + ".undo"
            ])
        #expect(!FileManager.default.fileExists(atPath: device + ".undo"))
        #expect(try UndoRecord.read(for: device, in: place)?.state == .done)
        for _ in 0..<2 {
            #expect(try UndoRecord.undo([try RecordedFile.open(device)], in: place).count == 1)
        }
        #expect(try HostFile.open(device).bytes(at: 0, count: 1 << 20) == before)
        // In memory it would be lost, whatever else is there.
        let error = #expect(throws: StorageError.self) {
            try change(UndoPlace(deviceDirectory: "/dev"), 4)
        }
        #expect(error?.code == "record-in-memory")
        #expect(try HostFile.open(device).bytes(at: 0, count: 1 << 20) == before)
        #expect(!FileManager.default.fileExists(atPath: device + ".undo"))
    }
}
