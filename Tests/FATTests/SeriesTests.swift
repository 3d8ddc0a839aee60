import FAT
import Foundation
import Storage
import TestSupport
import Testing

/// Seeded series of operations, which mtools reads and goes on with.
@Suite(
    .enabled(
        if: Profile.areThere && Tool.has("mtype", "mdel", "mmd", "mren"),
        "mkfs.vfat, fsck.vfat or mtools are missing"))
struct SeriesTests {
    @Test(arguments: [Profile.fat12, .fat16, .fat32Large, .fat16Sectors], [UInt64(11), 12])
    func mtoolsReadsAndGoesOn(_ profile: Profile, _ seed: UInt64) throws {
        let device = MemoryDevice(try profile.make())
        var model = TreeModel(
            seed: seed, blockSize: profile.clusterSize, capabilities: FATDriver.capabilities)
        let directory = try TemporaryDirectory()
        var theirs: [String: [UInt8]] = [:]
        var bytes = device.contents
        for round in 0..<3 {
            let device = MemoryDevice(bytes)
            let volume = try FATFileSystem.open(device)
            // What mtools has made is read here, and is none of the model's.
            for (path, contents) in theirs {
                let file = try #require(try Editor.find(path, in: volume))
                #expect(try volume.contents(of: file) == contents)
            }
            model.isForeign = { $0.hasPrefix("/theirs") }
            let transaction = try volume.begin()
            for _ in 0..<80 { try model.step(transaction, transaction.rootDirectory) }
            try transaction.prepare().commit()
            #expect(try Judge.defects(device.contents) == "", "round \(round)")
            let image = try directory.write("image", device.contents)
            let tree = directory.path("tree\(round)")
            try Tool.run("mkdir", [tree])
            try Tool.run("sh", ["-c", "mcopy -s -n -m -i \"$0\" '::/*' \"$1\"", image, tree])
            try model.check(treeAt: tree)
            theirs = try goOn(image, directory, round, theirs)
            bytes = try fileBytes(image)
            #expect(try Judge.defects(bytes) == "", "round \(round), after mtools")
        }
    }

    /// mtools makes, renames and removes a few files.
    private func goOn(
        _ image: String, _ directory: TemporaryDirectory, _ round: Int, _ files: [String: [UInt8]]
    ) throws -> [String: [UInt8]] {
        var files = files
        if round == 0 { try Tool.run("mmd", ["-i", image, "::/theirs"]) }
        for index in 0..<8 {
            let contents = TreeModel.contents(index * 700)
            let path = try directory.write("contents", contents)
            let name = "/theirs/A file of round \(round) number \(index).txt"
            try Tool.run("mcopy", ["-i", image, path, "::\(name)"])
            files[name] = contents
        }
        for name in files.keys.sorted().filter({ $0.hasSuffix("3.txt") }) {
            try Tool.run("mdel", ["-i", image, "::\(name)"])
            files[name] = nil
        }
        let moved = "/theirs/A file of round \(round) number 5.txt"
        try Tool.run("mren", ["-i", image, "::\(moved)", "::/theirs/x\(round)"])
        files["/theirs/x\(round)"] = files.removeValue(forKey: moved)
        return files
    }

    /// Times, names and attributes as mtools shows them.
    @Test func mtoolsShowsTheSame() throws {
        let device = MemoryDevice(try Profile.fat16.make(["EFI/BOOT/bootx64.efi": [1, 2, 3]]))
        let time = Timestamp(seconds: 1_000_000_000)
        try FATFileSystem.change(device, options: .init(now: Timestamp(seconds: 1_700_000_001))) { editor in
            try editor.create("/EFI/BOOT/grub.cfg", Array("hello".utf8), time: time)
            try editor.create("/EFI/BOOT/Über name.Conf", [7])
            try editor.replace("/EFI/BOOT/bootx64.efi", [4, 5, 6, 7])
        }
        let directory = try TemporaryDirectory()
        let image = try directory.write("image", device.contents)
        let lines = try Tool.run("mdir", ["-i", image, "::/EFI/BOOT"]).text.split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
        #expect(lines.contains { $0.hasPrefix("grub cfg 5 2001-09-09 1:46") }, "\(lines)")
        #expect(lines.contains { $0.hasPrefix("bootx64 efi 4 2023-11-14 22:13") }, "\(lines)")
        #expect(lines.contains { $0.contains("~1 CON 1 2023-11-14 22:13") }, "\(lines)")
        let volume = try FATFileSystem.open(MemoryDevice(device.contents))
        let file = try #require(try Editor.find("/efi/boot/GRUB.CFG", in: volume))
        let attributes = try volume.attributes(of: file)
        #expect(attributes.modificationTime == time && attributes.creationTime == time)
        #expect(try Editor.find("/efi/boot/üBER NAME.cONF", in: volume) != nil)
        #expect(try Editor.find("/efi/boot/BERNAM~1.CON", in: volume) == nil)
    }

    /// Many files of names that only a number tells apart; more than one cluster, and slots that are used again.
    @Test(arguments: Profile.all) func largeDirectories(_ profile: Profile) throws {
        let device = MemoryDevice(try profile.make())
        try FATFileSystem.change(device) { editor in
            try editor.makeDirectory("/loader")
            for index in 0..<150 { try editor.create("/loader/entry number \(index).conf", [UInt8(index)]) }
        }
        try FATFileSystem.change(device) { editor in
            for index in stride(from: 0, to: 150, by: 2) {
                try editor.remove("/loader/entry number \(index).conf")
            }
        }
        let before = try FATFileSystem.open(device).attributes(of: FileID(0))
        #expect(before.type == .directory)
        try FATFileSystem.change(device) { editor in
            for index in 0..<70 { try editor.create("/loader/other number \(index).conf", [UInt8(index)]) }
        }
        #expect(try Judge.defects(device.contents) == "")
        let found = try files(of: FATFileSystem.open(device))
        #expect(found.count == 146)
        for index in stride(from: 1, to: 150, by: 2) {
            #expect(found["/loader/entry number \(index).conf"] == [UInt8(index)])
        }
    }
}
