import Foundation
import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// Changes of block devices, over several too, that have other names afterwards: each is known by the file behind it.
@Suite(.serialized, .enabled(if: LoopDevices.areThere, "needs root and loop devices"))
struct UndoDeviceNameTests {
    /// Two disks, the second in two orders, that were changed as one, and a clone of each from before.
    private final class Disks {
        let directory: TemporaryDirectory
        let place: UndoPlace
        let paths: [String]
        let clones: [String]
        let before: [[UInt8]]
        let names: [String]
        private(set) var changed: [[UInt8]] = []
        private var attached: Set<String> = []

        init(isHot: Bool) throws {
            directory = try TemporaryDirectory()
            place = UndoPlace(deviceDirectory: directory.path("records"))
            try FileManager.default.createDirectory(
                atPath: place.deviceDirectory, withIntermediateDirectories: false)
            var random = SeededRandom(41)
            let before = [random.bytes(1 << 20), random.bytes(1 << 20)]
            self.before = before
            let directory = directory
            paths = try before.enumerated().map { try directory.write("disk\($0)", $1) }
            clones = try before.enumerated().map { try directory.write("clone\($0)", $1) }
            names = try paths.map { try LoopDevices.attach($0) }
            attached = Set(names)
            try change(with: random.bytes(3000))
            if isHot {
                for name in names { try UndoRecord.setState(.hot, ofRecord: place.recordPath(for: name)) }
                // As a cut between the first write and the last leaves it.
                try HostFile.open(names[0], access: .write).write(
                    Array(before[0][70_144..<70_656]), at: 70_144)
                try HostFile.open(names[0], access: .write).flush()
            }
            try detach()
            changed = try paths.map(fileBytes)
        }

        deinit { try? detach() }

        private func change(with bytes: [UInt8]) throws {
            let files = try names.map { try RecordedFile.open($0) }
            let transaction = try HostTransaction(files, records: place)
            for file in files { try file.write(bytes, at: 70_000) }
            try transaction.commit()
        }

        func attach(_ path: String, as name: String) throws {
            try Tool.run("losetup", [name, path])
            attached.insert(name)
        }

        func detach() throws {
            for name in attached { try Tool.run("losetup", ["-d", name]) }
            attached = []
        }

        func undo(_ names: [String]) throws -> Int {
            try UndoRecord.undo(try names.map { try RecordedFile.open($0) }, in: place).count
        }

        var isBack: Bool {
            get throws { try paths.map(fileBytes) == before }
        }
    }

    @Test(arguments: [false, true], [false, true]) func namesThatWereSwapped(
        _ isHot: Bool, _ isOneGiven: Bool
    ) throws {
        let disks = try Disks(isHot: isHot)
        try disks.attach(disks.paths[0], as: disks.names[1])
        try disks.attach(disks.paths[1], as: disks.names[0])
        // No device is written that was not named, and is not where it was.
        if isOneGiven {
            let error = #expect(throws: StorageError.self) { try disks.undo([disks.names[0]]) }
            #expect(error?.remedies == [.giveDisk(path: disks.names[1])])
        }
        #expect(try disks.undo(disks.names) == 2)
        try disks.detach()
        #expect(try disks.isBack)
        #expect(HostDirectory.names(in: disks.place.deviceDirectory).isEmpty)
    }

    /// Both have moved on by one name, or only the second has, and its name is another disk's.
    @Test(arguments: [false, true], [false, true]) func namesThatMoved(_ isHot: Bool, _ haveBoth: Bool) throws
    {
        let disks = try Disks(isHot: isHot)
        let first = disks.names[haveBoth ? 1 : 0]
        try disks.attach(disks.paths[0], as: first)
        if !haveBoth { try disks.attach(disks.clones[0], as: disks.names[1]) }
        let second = try LoopDevices.name()
        try disks.attach(disks.paths[1], as: second)
        #expect(try disks.undo([first, second]) == 2)
        try disks.detach()
        #expect(try disks.isBack)
        #expect(HostDirectory.names(in: disks.place.deviceDirectory).isEmpty)
    }

    /// The other disk is nowhere, and its name is the first one's: nothing is taken back by half.
    @Test func aNameThatTheOtherHasNow() throws {
        let disks = try Disks(isHot: true)
        try disks.attach(disks.paths[0], as: disks.names[1])
        let error = #expect(throws: StorageError.self) { try disks.undo([disks.names[1]]) }
        #expect(error?.code == "sibling-missing")
        try disks.detach()
        #expect(try disks.paths.map(fileBytes) == disks.changed)
        for (path, name) in zip(disks.paths, disks.names) { try disks.attach(path, as: name) }
        #expect(try disks.undo([disks.names[0]]) == 2)
        try disks.detach()
        #expect(try disks.isBack)
    }

    /// Clones have the names: their records are not thrown away.
    @Test(arguments: [false, true], [1, 2]) func discardOnClonesKeepsTheRecords(_ isHot: Bool, _ count: Int)
        throws
    {
        let disks = try Disks(isHot: isHot)
        for index in 0..<count { try disks.attach(disks.clones[index], as: disks.names[index]) }
        do {
            let files = try disks.names.prefix(count).map { try RecordedFile.open($0) }
            let done = try UndoRecord.discard(files, in: disks.place)
            #expect(done.kept.count == count && done.records.isEmpty && done.cutOff.isEmpty)
        }
        try disks.detach()
        for (path, name) in zip(disks.paths, disks.names) { try disks.attach(path, as: name) }
        #expect(try disks.undo(disks.names) == 2)
        try disks.detach()
        #expect(try disks.isBack)
        #expect(HostDirectory.names(in: disks.place.deviceDirectory).isEmpty)
    }

    /// A clone is changed under the name of what it is a clone of: both go back, in any order.
    @Test(arguments: [false, true]) func aCloneHasItsOwnChanges(_ isCloneFirst: Bool) throws {
        let disks = try Disks(isHot: false)
        let name = disks.names[0]
        try disks.attach(disks.clones[0], as: name)
        do {
            let file = try RecordedFile.open(name)
            let transaction = try HostTransaction([file], records: disks.place)
            try file.write([UInt8](repeating: 7, count: 900), at: 70_200)
            try transaction.commit()
        }
        if isCloneFirst { #expect(try disks.undo([name]) == 1) }
        try disks.detach()
        for (path, name) in zip(disks.paths, disks.names) { try disks.attach(path, as: name) }
        #expect(try disks.undo(disks.names) == 2)
        try disks.detach()
        #expect(try disks.isBack)
        if !isCloneFirst {
            try disks.attach(disks.clones[0], as: name)
            #expect(try disks.undo([name]) == 1)
            try disks.detach()
        }
        #expect(try disks.clones.map(fileBytes) == disks.before)
        #expect(HostDirectory.names(in: disks.place.deviceDirectory).isEmpty)
    }
}
