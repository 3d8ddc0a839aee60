import Storage
import TestSupport
import Testing

@testable import FAT

/// What cannot be done is said by its word, and nothing is written.
@Suite(.enabled(if: Profile.areThere, "mkfs.vfat, fsck.vfat or mtools are missing"))
struct RefusalTests {
    private static let small = Profile(
        name: "FAT12", width: 12, sectorSize: 512, sectorsPerCluster: 1, kilobytes: 360)

    private func refusal(_ bytes: [UInt8], _ body: (Editor) throws -> Void) throws -> StorageError {
        let device = MemoryDevice(bytes)
        let transaction = try FATFileSystem.open(device).begin()
        let error = #expect(throws: StorageError.self) { try body(Editor(transaction: transaction)) }
        // It was refused before it began: the transaction goes on, and has nothing to write.
        #expect(try transaction.prepare().isEmpty)
        #expect(device.events.isEmpty)
        return try #require(error)
    }

    @Test func aFullVolumeNamesTheBytesThatAreMissing() throws {
        let bytes = try Self.small.make(["a": [1]])
        let geometry = try DamagedVolume(bytes).geometry
        let free = Int(geometry.clusterCount - 1) * 512
        let error = try refusal(bytes) { try $0.create("/big", TreeModel.contents(free + 700)) }
        #expect(error.kind == .refused && error.code == "no-space")
        #expect(error.message.contains("\(free) bytes are free") && error.message.contains("1024 more"))
        let replaced = try refusal(bytes) { try $0.replace("/a", TreeModel.contents(free + 1)) }
        #expect(replaced.code == "no-space" && replaced.message.contains("512 more"))
        // To the last cluster it can be filled, and what is given back in a change can be used in it again.
        let device = MemoryDevice(bytes)
        try FATFileSystem.change(device) { editor in
            try editor.create("/big", TreeModel.contents(free))
            #expect(throws: StorageError.self) { try editor.makeDirectory("/more") }
            try editor.remove("/big")
            try editor.makeDirectory("/more")
            try editor.create("/more/big", TreeModel.contents(free - 512))
        }
        #expect(try Judge.defects(device.contents) == "")
        #expect(try files(of: FATFileSystem.open(device))["/more/big"] == TreeModel.contents(free - 512))
        let last = try refusal(device.contents) { try $0.makeDirectory("/x") }
        #expect(last.code == "no-space" && last.message.contains("0 bytes are free"))
    }

    @Test func aFullRoot() throws {
        let bytes = try Self.small.make()
        let slots = try DamagedVolume(bytes).geometry.rootByteCount / 32
        let device = MemoryDevice(bytes)
        try FATFileSystem.change(device) { editor in
            for index in 0..<slots { try editor.create("/F\(index)", []) }
        }
        #expect(try Judge.defects(device.contents) == "")
        #expect(try refusal(device.contents) { try $0.create("/ONE", []) }.code == "root-full")
        try FATFileSystem.change(device) { try $0.remove("/F3") }
        #expect(try refusal(device.contents) { try $0.create("/a long name", []) }.code == "root-full")
        try FATFileSystem.change(device) { try $0.create("/ONE", []) }
        #expect(try Judge.defects(device.contents) == "")
    }

    /// A directory of another maker may have rubbish behind its end.
    @Test(arguments: PowerCutTests.profiles) func rubbishBehindTheEnd(_ profile: Profile) throws {
        var volume = try DamagedVolume(try profile.make(["d/x": [1]]))
        let first = try volume.firstCluster("/d")
        let start = Int(volume.geometry.byteOffset(of: ClusterNumber(first)))
        // Behind ".", ".." and x with its long name, and one slot that marks the end.
        // fsck.vfat reads on behind the end, so that it is no judge of this.
        for offset in start + 6 * 32..<start + volume.geometry.clusterSize { volume.bytes[offset] = 0x41 }
        let device = MemoryDevice(volume.bytes)
        try FATFileSystem.change(device) { editor in
            for index in 0..<9 { try editor.create("/d/a longer name \(index)", [2]) }
        }
        #expect(try files(of: FATFileSystem.open(device)).count == 11)
    }

    @Test func namesAndKinds() throws {
        let bytes = try Self.small.make(["d/Long name.txt": [1], "e/x": [2]])
        func code(_ body: (Editor) throws -> Void) throws -> String { try refusal(bytes, body).code }
        for name in ["a*b", "a?", "a:b", "<", "a|b", "\"", "a\\b", "dot.", "blank ", "tab\t", "a\0"] {
            #expect(try code { try $0.create("/\(name)", []) } == "bad-name", "\(name)")
        }
        let root = FileID(0)
        #expect(
            try code {
                _ = try $0.transaction.createFile(
                    [0xff], in: root, contents: [], attributes: .init(permissions: 0))
            }
                == "bad-name")
        #expect(try code { try $0.create("/d/LONG NAME.TXT", []) } == "exists")
        #expect(try code { try $0.create("/d/longna~1.txt", []) } == "exists")
        #expect(try code { try $0.remove("/d/none") } == "no-entry")
        #expect(try code { try $0.remove("/d") } == "not-empty")
        #expect(try code { try $0.rename("/e/x", "/d") } == "is-a-directory")
        #expect(try code { try $0.rename("/d", "/e/x") } == "not-a-directory")
        #expect(try code { try $0.rename("/d", "/e") } == "not-empty")
        #expect(try code { try $0.rename("/d", "/d/in") } == "into-itself")
        #expect(try code { try $0.replace("/d", []) } == "not-a-regular-file")
        #expect(try code { try $0.replace("/", []) } == "not-a-regular-file")
        #expect(try code { try $0.create("/d/Long name.txt/x", []) } == "not-a-directory")
        #expect(
            try code { try $0.transaction.setAttributes(of: $0.find("/d"), .init(permissions: 0o600)) }
                == "not-settable")
        #expect(
            try code {
                try $0.transaction.setAttributes(of: root, .init(modificationTime: .init(seconds: 0)))
            }
                == "not-settable")
        for label in ["twelve bytes", "a*b", " x", "x ", "ä", "a\0"] {
            #expect(try code { try $0.transaction.setLabel(Array(label.utf8)) } == "bad-label", "\(label)")
        }
        for key: UInt64 in [1, 32, 33, 1 << 40, .max & ~31] {
            let error = try refusal(bytes) { _ = try $0.transaction.attributes(of: FileID(key)) }
            #expect(error.code == "no-such-file" && error.kind == .misuse)
        }
    }

    @Test func statesOfATransaction() throws {
        let device = MemoryDevice(try Self.small.make(["a": [1]]))
        let volume = try FATFileSystem.open(device)
        let (first, second) = (try volume.begin(), try volume.begin())
        try Editor(transaction: first).replace("/a", [2])
        try Editor(transaction: second).replace("/a", [3])
        let prepared = try first.prepare()
        #expect(throws: StorageError.self) { try first.prepare() }
        try second.prepare().commit()
        let stale = #expect(throws: StorageError.self) { try prepared.commit() }
        #expect(stale?.code == "transaction-stale")
        #expect(try files(of: FATFileSystem.open(device)) == ["/a": [3]])
        // A series of changes without opening again.
        for index in UInt8(4)..<9 {
            let next = try volume.begin()
            try Editor(transaction: next).replace("/a", [UInt8](repeating: index, count: Int(index) * 200))
            try next.prepare().commit()
            let file = try #require(try Editor.find("/A", in: volume))
            #expect(try volume.contents(of: file)[0] == index)
        }
        #expect(try Judge.defects(device.contents) == "")
    }

    @Test func labels() throws {
        for profile in PowerCutTests.profiles {
            let device = MemoryDevice(try profile.make(["a": [1]]))
            for label in ["FIRST", "SECOND ONE", "", "Third"] {
                let volume = try FATFileSystem.open(device)
                let transaction = try volume.begin()
                try transaction.setLabel(Array(label.utf8))
                try transaction.prepare().commit()
                #expect(volume.identity.label == (label.isEmpty ? nil : Array(label.utf8)))
                #expect(try FATDriver.identify(device)?.identity.label == volume.identity.label)
                #expect(try Judge.defects(device.contents) == "", "\(profile) \(label)")
            }
        }
    }

    /// A table that a flag names is read. Linux and fsck.vfat read the first one, so that only that is written alone.
    @Test func aSingleLiveTable() throws {
        let made = try DamagedVolume(try Profile.fat32.make(["a": TreeModel.contents(2000)]))
        let copy = Int(try #require(made.geometry.backupOffset))
        func volume(live table: UInt8) throws -> DamagedVolume {
            var volume = made
            for boot in [0, copy] { volume.bytes[boot + 40] = 0x80 | table }
            volume = try DamagedVolume(volume.bytes)
            let other = Int(made.geometry.tableOffset + UInt64(1 - table) * made.geometry.tableByteCount)
            for index in other + 8..<other + 4000 { volume.bytes[index] = 0xaa }
            #expect(volume.geometry.activeTable == Int(table) && volume.geometry.keptTables == [Int(table)])
            return volume
        }
        let second = try volume(live: 1)
        let opened = try FATFileSystem.open(MemoryDevice(second.bytes))
        #expect(try files(of: opened)["/a"] == TreeModel.contents(2000))
        #expect(opened.warnings.contains { $0.contains("number 1") })
        #expect(try second.codes() == ["second-table-live"] && second.refusal()?.code == "second-table-live")
        let first = MemoryDevice(try volume(live: 0).bytes)
        try FATFileSystem.change(first) { try $0.create("/b", TreeModel.contents(900)) }
        #expect(try files(of: FATFileSystem.open(first))["/b"] == TreeModel.contents(900))
        let other = Int(made.geometry.tableOffset + made.geometry.tableByteCount)
        #expect(first.contents[other + 8..<other + 4000].allSatisfy { $0 == 0xaa })
        #expect(try DamagedVolume(first.contents).findings() == [])
    }

    /// What several changes need is told for all of them, and what is free as it was before the first.
    @Test func roomForARowOfChanges() throws {
        let bytes = try Self.small.make(["a": [1]])
        let free = UInt64(try DamagedVolume(bytes).geometry.clusterCount - 1) * 512
        let transaction = try FATFileSystem.open(MemoryDevice(bytes)).begin()
        try transaction.requireRoom(for: [.init(new: free - 512), .init(new: 512, old: 1), .init(new: 512)])
        let error = #expect(throws: StorageError.self) {
            try transaction.requireRoom(
                for: [.init(new: free, newDirectories: 1), .init(new: 1024, old: 1), .init(new: 512)])
        }
        #expect(error?.code == "no-space")
        #expect(error?.message.contains("\(free) bytes are free, and 1536 more") == true, "\(error as Any)")
        // What was taken before is not missing from what is free.
        try Editor(transaction: transaction).create("/b", TreeModel.contents(5000))
        let later = #expect(throws: StorageError.self) {
            try Editor(transaction: transaction).create("/c", TreeModel.contents(Int(free)))
        }
        #expect(later?.message.contains("\(free) bytes are free, and 5120 more") == true, "\(later as Any)")
    }
}
