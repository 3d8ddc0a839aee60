import Storage
import TestSupport
import Testing

@testable import FAT

/// Volumes whose bytes were made to hurt: typed errors and an end, never a trap.
@Suite(.enabled(if: Profile.areThere, "mkfs.vfat, fsck.vfat or mtools are missing"))
struct HostileVolumeTests {
    /// Everything that can be asked of a volume. Only errors of types, and no more entries than slots.
    private func visit(_ bytes: [UInt8], _ what: String) {
        let device = MemoryDevice(bytes)
        attempt(what) { _ = try FATDriver.identify(device) }
        attempt(what) {
            var count = 0
            try FATDriver.check(device) { _ in count += 1 }
            #expect(count < 4000, "\(what)")
        }
        attempt(what) {
            let volume = try FATFileSystem.open(device)
            read(volume, what)
            attempt(what) { try change(volume, what) }
        }
    }

    /// Runs a part, which may throw an error of this layer's words.
    private func attempt(_ what: String, _ body: () throws -> Void) {
        do {
            try body()
        } catch {
            guard let error = error as? StorageError else {
                Issue.record("\(what): \(error)")
                return
            }
            let isKnown = error.kind != .io && FATCode(rawValue: error.code) != nil
            #expect(isKnown || error.code == "file-too-long", "\(what): \(error)")
        }
    }

    private func read(_ volume: FATFileSystem, _ what: String) {
        var pending = [volume.rootDirectory]
        var seen = Set(pending)
        while let directory = pending.popLast() {
            attempt(what) {
                let entries = try volume.entries(of: directory)
                for entry in entries where seen.insert(entry.file).inserted {
                    if entry.type == .directory {
                        pending.append(entry.file)
                        attempt(what) { _ = try volume.lookUp(Array("..".utf8), in: entry.file) }
                    } else if try volume.attributes(of: entry.file).size < 1 << 20 {
                        attempt(what) { _ = try volume.contents(of: entry.file) }
                    }
                }
            }
        }
    }

    /// What may be written at all is written soundly.
    private func change(_ volume: FATFileSystem, _ what: String) throws {
        let transaction = try volume.begin()
        let editor = Editor(transaction: transaction)
        try editor.makeDirectory("/made here")
        try editor.create("/made here/a file.conf", TreeModel.contents(2000))
        try editor.rename("/made here/a file.conf", "/another name.conf")
        try editor.remove("/made here")
        try transaction.prepare().commit()
        var damage: [Finding] = []
        try FATDriver.check(volume.device) { if $0.severity == .damage { damage.append($0) } }
        #expect(damage == [], "\(what)")
    }

    @Test(arguments: PowerCutTests.profiles, 1...6) func mutations(_ profile: Profile, _ seed: Int) throws {
        let bytes = try profile.make(
            [
                "EFI/debian/grub.cfg": TreeModel.contents(3000),
                "A long name of a file.conf": TreeModel.contents(99),
                "EFI/BOOT/BOOTX64.EFI": TreeModel.contents(5000), "loader/entries/An entry.conf": [1, 2, 3],
            ], label: "LABEL")
        let volume = try DamagedVolume(bytes)
        let geometry = volume.geometry
        var random = SeededRandom(UInt64(seed))
        // Boot sector, head of the table, root, and what is in use of the data.
        let root =
            geometry.width == .fat32 ? geometry.byteOffset(of: geometry.rootCluster) : geometry.rootOffset
        let places: [Range<Int>] = [
            0..<90, Int(geometry.tableOffset)..<Int(geometry.tableOffset) + 120, Int(root)..<Int(root) + 512,
            Int(geometry.dataOffset)..<Int(geometry.dataOffset) + 24 * geometry.clusterSize,
        ]
        for round in 0..<70 {
            var copy = bytes
            var told: [String] = []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let range = places[Int.random(in: 0..<places.count, using: &random)]
                let at = Int.random(in: range, using: &random)
                let value: UInt8 = [0, 0xff, 0x0f, 0xe5, UInt8.random(in: 0...255, using: &random)][
                    Int.random(in: 0..<5, using: &random)]
                copy[at] = value
                told.append("\(at)=\(value)")
                // Both tables, so that it is not all for their difference.
                if range == places[1], geometry.tableCount > 1 {
                    copy[at + Int(geometry.tableByteCount)] = value
                }
            }
            visit(copy, "\(profile), seed \(seed), round \(round): \(told)")
        }
    }

    /// All of a table at once: every entry points somewhere.
    @Test(arguments: PowerCutTests.profiles) func tablesOfNonsense(_ profile: Profile) throws {
        let bytes = try profile.make(["EFI/debian/grub.cfg": TreeModel.contents(30_000)])
        let volume = try DamagedVolume(bytes)
        for step: UInt32 in [0, 1, 2, 7] {
            var copy = volume
            for cluster in 2..<volume.geometry.clusterCount {
                copy.setTable(cluster, 2 + (cluster - 2 + step) % volume.geometry.clusterCount)
            }
            visit(copy.bytes, "step \(step)")
        }
    }

    /// As many slots as a directory may have, all of them directories that begin with its own cluster.
    @Test func aDirectoryOfItself() throws {
        var volume = try DamagedVolume(try Profile.fat16.make(["d/x": [1]]))
        let first = try volume.firstCluster("/d")
        let start = Int(volume.geometry.byteOffset(of: ClusterNumber(first)))
        var slot = DirectorySlot(Array(volume.bytes[start..<start + 32]))
        slot.attributes = .directory
        for index in 2..<16 {
            slot.bytes.replaceSubrange(0..<11, with: Array("D\(index)          ".utf8.prefix(11)))
            volume.bytes.replaceSubrange(start + index * 32..<start + index * 32 + 32, with: slot.bytes)
        }
        visit(volume.bytes, "a directory of itself")
        #expect(try volume.codes().contains("cross-linked") || volume.codes().contains("chain-loop"))
        // A volume of the longest chain that a directory may not have.
        var long = try DamagedVolume(try Profile.fat16.make(["d/x": [1]]))
        let from = try long.firstCluster("/d")
        var previous = from
        for cluster in 3000..<3000 + UInt32(Geometry.directoryByteLimit / long.geometry.clusterSize) {
            long.setTable(previous, cluster)
            previous = cluster
        }
        long.setTable(previous, long.geometry.endMark)
        #expect(try long.codes().contains("directory-too-long"))
        let tree = try FATFileSystem.open(MemoryDevice(long.bytes))
        let directory = try #require(try Editor.find("/d", in: tree))
        let error = #expect(throws: StorageError.self) { try tree.entries(of: directory) }
        #expect(error?.code == "directory-too-long")
    }
}
