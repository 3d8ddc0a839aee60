import Storage
import TestSupport
import Testing

@testable import FAT

/// Files that are made piece by piece.
@Suite(.enabled(if: Profile.areThere, "mkfs.vfat, fsck.vfat or mtools are missing"))
struct AppendTests {
    /// Pieces of lengths that are none of the clusters', in one change and in several.
    @Test(arguments: Profile.all, [true, false])
    func pieces(_ profile: Profile, _ isOneChange: Bool) throws {
        let device = MemoryDevice(try profile.make(["d/x": [1]]))
        let volume = try FATFileSystem.open(device)
        var expected: [UInt8] = []
        var transaction = try volume.begin()
        try Editor(transaction: transaction).create("/d/a long name", [])
        for (index, count) in [0, 1, 511, 512, 7000, 4096, 3, 20_000].enumerated() {
            let piece = TreeModel.contents(count)
            try transaction.append(piece, to: Editor(transaction: transaction).find("/d/a long name"))
            expected += piece
            #expect(try files(of: transaction)["/d/a long name"] == expected, "piece \(index)")
            if isOneChange { continue }
            try transaction.prepare().commit()
            #expect(try Judge.defects(device.contents) == "", "piece \(index)")
            transaction = try volume.begin()
        }
        try transaction.prepare().commit()
        #expect(try Judge.defects(device.contents) == "")
        #expect(
            try files(of: FATFileSystem.open(device)) == [
                "/d/": [], "/d/x": [1], "/d/a long name": expected,
            ])
    }

    /// The last cluster that is known of one file is not that of another one of its length and first cluster.
    @Test func anotherFileInTheSamePlace() throws {
        let profile = Profile(name: "FAT12", width: 12, sectorSize: 512, sectorsPerCluster: 1, kilobytes: 360)
        let device = MemoryDevice(try profile.make())
        let volume = try FATFileSystem.open(device)
        let free = try volume.begin().space.clusters.count
        try FATFileSystem.change(device) { try $0.create("/fill", TreeModel.contents((free - 5) * 512)) }
        let transaction = try FATFileSystem.open(device).begin()
        let editor = Editor(transaction: transaction)
        func first(_ path: String) throws -> UInt32 {
            try transaction.slot(of: editor.find(path)).firstCluster(.fat12).rawValue
        }
        let contents = TreeModel.contents(1100)
        try editor.create("/old", [])
        try transaction.append(contents, to: editor.find("/old"))
        let place = try first("/old")
        try editor.remove("/old")
        for name in ["d", "e", "a", "b", "c"] { try editor.create("/\(name)", [7]) }
        try #require(try first("/a") == place)
        // Files are put behind the one that was made last.
        try editor.remove("/e")
        try editor.create("/e", [8])
        for name in ["a", "c", "d"] { try editor.remove("/\(name)") }
        try editor.create("/new", contents)
        try #require(try first("/new") == place)
        try transaction.append([1, 2, 3], to: editor.find("/new"))
        #expect(try files(of: transaction)["/new"] == contents + [1, 2, 3])
        try transaction.prepare().commit()
        #expect(try Judge.defects(device.contents) == "")
        #expect(try files(of: FATFileSystem.open(device))["/new"] == contents + [1, 2, 3])
    }

    @Test func refusals() throws {
        let profile = Profile(name: "FAT12", width: 12, sectorSize: 512, sectorsPerCluster: 1, kilobytes: 360)
        var damaged = try DamagedVolume(try profile.make(["a": [1]]))
        let device = MemoryDevice(damaged.bytes)
        let transaction = try FATFileSystem.open(device).begin()
        let file = try Editor(transaction: transaction).find("/a")
        let full = #expect(throws: StorageError.self) {
            try transaction.append(TreeModel.contents(400 << 10), to: file)
        }
        #expect(full?.code == "no-space")
        #expect(throws: StorageError.self) { try transaction.append([1], to: transaction.rootDirectory) }
        #expect(try transaction.prepare().isEmpty)
        // The length is a number of 32 bits.
        try damaged.change("/a") { $0.size = .max }
        let long = try FATFileSystem.open(MemoryDevice(damaged.bytes))
        let error = #expect(throws: StorageError.self) {
            let transaction = try long.begin()
            try transaction.append([1, 2], to: file)
        }
        #expect(error != nil)
        // More clusters than its length needs.
        var loose = try DamagedVolume(try profile.make(["a": TreeModel.contents(900)]))
        try loose.change("/a") { $0.size = 3 }
        let other = try FATFileSystem.open(MemoryDevice(loose.bytes)).begin()
        let refused = #expect(throws: StorageError.self) {
            try other.append([1], to: Editor(transaction: other).find("/a"))
        }
        #expect(refused?.code == "chain-too-long")
    }
}
