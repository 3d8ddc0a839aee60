import Foundation
import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// A record of a block device whose name another one has got.
@Suite(.serialized, .enabled(if: LoopDevices.areThere, "needs root and loop devices"))
struct UndoOtherDeviceTests {
    /// The device that has the name now holds nothing of what the record knows, or is of another size.
    @Test(arguments: [false, true], [false, true])
    func theRecordOfAnotherDeviceIsKept(_ isLonger: Bool, _ isHot: Bool) throws {
        let directory = try TemporaryDirectory()
        let place = UndoPlace(deviceDirectory: directory.root)
        var random = SeededRandom(31)
        let disks = try [
            directory.write("one", random.bytes(1 << 20)),
            directory.write("two", random.bytes(isLonger ? 2 << 20 : 1 << 20)),
        ]
        let device = try LoopDevices.attach(disks[0])
        defer { _ = try? Tool.run("losetup", ["-d", device]) }
        let record = place.recordPath(for: device)
        do {
            let file = try RecordedFile.open(device)
            let transaction = try HostTransaction([file], records: place)
            try file.write(random.bytes(3000), at: 70_000)
            try transaction.commit()
        }
        if isHot { try UndoRecord.setState(.hot, ofRecord: record) }
        let bytes = try fileBytes(record)
        try Tool.run("losetup", ["-d", device])
        try Tool.run("losetup", [device, disks[1]])
        let other = try fileBytes(disks[1])
        do {
            let file = try RecordedFile.open(device)
            for force in [UndoForce.no, .sameFile] {
                let error = #expect(throws: StorageError.self) {
                    try UndoRecord.undo([file], force: force, in: place)
                }
                #expect(error?.code == "other-device" && error?.remedies == [.setUndoAside])
                #expect(error?.message.contains("another device") == true)
            }
            // Attached elsewhere: that is said.
            let again = try LoopDevices.attach(disks[0])
            let error = #expect(throws: StorageError.self) { try UndoRecord.undo([file], in: place) }
            #expect(error?.code == "other-device" && error?.remedies == [.undoDisk(path: again)])
            if isHot {
                let error = #expect(throws: StorageError.self) {
                    try UndoRecord.requireSettled(device, in: place)
                }
                #expect(error?.code == "hot" && error?.remedies == [.undoDisk(path: again)])
            }
            try Tool.run("losetup", ["-d", again])
            #expect(try fileBytes(record) == bytes && fileBytes(disks[1]) == other)
            let done = try UndoRecord.discard([file], in: place)
            #expect(done.kept.count == 1 && done.records.isEmpty)
            #expect(try done.kept.map(fileBytes) == [bytes])
            #expect(try UndoRecord.read(for: device, in: place) == nil)
        }
        #expect(try fileBytes(disks[1]) == other)
        try Tool.run("losetup", ["-d", device])
        try Tool.run("losetup", [device, disks[0]])
        let file = try RecordedFile.open(device)
        // As long as it holds what the record knows it is taken back, attached once more, without anything set aside.
        #expect(try UndoRecord.undo([file], in: place).count == 1)
        #expect(HostDirectory.names(in: directory.root) == ["one", "two"])
    }

    /// What is forced into another device leaves the record for the one that was changed.
    @Test
    func whatIsForcedIntoAnotherDeviceLeavesTheRecord() throws {
        let directory = try TemporaryDirectory()
        let place = UndoPlace(deviceDirectory: directory.root)
        var random = SeededRandom(32)
        let before = random.bytes(1 << 20)
        let disks = try [directory.write("one", before), directory.write("two", before)]
        let device = try LoopDevices.attach(disks[0])
        defer { _ = try? Tool.run("losetup", ["-d", device]) }
        let record = place.recordPath(for: device)
        do {
            let file = try RecordedFile.open(device)
            let transaction = try HostTransaction([file], records: place)
            try file.write(random.bytes(3000), at: 70_000)
            try transaction.commit()
        }
        try Tool.run("losetup", ["-d", device])
        try Tool.run("losetup", [device, disks[1]])
        var kept: [String] = []
        do {
            let file = try RecordedFile.open(device)
            #expect(throws: StorageError.self) { try UndoRecord.undo([file], force: .sameFile, in: place) }
            #expect(
                try UndoRecord.undo([file], force: .anyFile, in: place, kept: { kept.append($0) }).count == 1)
            #expect(try UndoRecord.undo([file], in: place).isEmpty)
        }
        #expect(kept.count == 1 && !HostDirectory.exists(record))
        try Tool.run("losetup", ["-d", device])
        try Tool.run("losetup", [device, disks[0]])
        try FileManager.default.moveItem(atPath: kept[0], toPath: record)
        #expect(try UndoRecord.undo([try RecordedFile.open(device)], in: place).count == 1)
        let isAsBefore = try HostFile.open(device).bytes(at: 0, count: 1 << 20) == before
        #expect(isAsBefore)
    }

    /// A hot record, and another device of the name that holds what the changed one held before, or nearly: what becomes of
    /// that is not what becomes of the one that was changed, which is known by another name too.
    @Test(arguments: [false, true])
    func aCloneOfTheNameLeavesTheRecordToTheOther(_ isSpoiled: Bool) throws {
        let directory = try TemporaryDirectory()
        let place = UndoPlace(deviceDirectory: directory.root)
        var random = SeededRandom(33)
        let before = random.bytes(1 << 20)
        let disks = try [directory.write("one", before), directory.write("two", before)]
        let device = try LoopDevices.attach(disks[0])
        defer { _ = try? Tool.run("losetup", ["-d", device]) }
        let record = place.recordPath(for: device)
        do {
            let file = try RecordedFile.open(device)
            let transaction = try HostTransaction([file], records: place)
            try file.write(random.bytes(9000), at: 70_000)
            try transaction.commit()
        }
        try UndoRecord.setState(.hot, ofRecord: record)
        // As a cut between the first write and the last leaves it.
        do { try HostFile.open(device, access: .write).write(Array(before[70_144..<70_656]), at: 70_144) }
        let half = try HostFile.open(device).bytes(at: 0, count: 1 << 20)
        try Tool.run("losetup", ["-d", device])
        if isSpoiled {
            // All but one of the sectors that the change touched are known.
            var other = before
            other[75_000] ^= 1
            try directory.write("two", other)
        }
        try Tool.run("losetup", [device, disks[1]])
        do {
            let file = try RecordedFile.open(device)
            if isSpoiled {
                let error = #expect(throws: StorageError.self) { try UndoRecord.undo([file], in: place) }
                #expect(error?.code == "other-device")
                #expect(try UndoRecord.discard([file], in: place).kept.count == 1)
                try UndoRecord.requireSettled(device, in: place)
            } else {
                _ = try UndoRecord.undo([file], in: place)
                try UndoRecord.requireSettled(device, in: place)
            }
        }
        try Tool.run("losetup", ["-d", device])
        let again = try LoopDevices.attach(disks[0])
        defer { _ = try? Tool.run("losetup", ["-d", again]) }
        #expect(throws: StorageError.self) { try UndoRecord.requireSettled(again, in: place) }
        let isStillHalf = try HostFile.open(again).bytes(at: 0, count: 1 << 20) == half
        #expect(isStillHalf)
        let file = try RecordedFile.open(again)
        #expect(try UndoRecord.undo([file], in: place).count == 1)
        let isBack = try HostFile.open(again, locking: .ignore).bytes(at: 0, count: 1 << 20) == before
        #expect(isBack)
        #expect(HostDirectory.names(in: directory.root) == ["one", "two"])
    }
}
