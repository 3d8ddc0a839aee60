internal import Foundation
internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing

/// Freshly made seeded layouts, read as sfdisk, sgdisk and blkid read them.
@Suite(
    .enabled(
        if: Tool.has("sfdisk", "sgdisk", "blkid", "mke2fs", "mkswap"), "fdisk, gdisk or e2fsprogs is missing")
)
struct ToolAgreementTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private struct Listing: Decodable {
        struct Table: Decodable {
            var label: String
            var id: String
            var partitions: [Partition]
        }
        struct Partition: Decodable {
            var node: String
            var start: UInt64
            var size: UInt64
            var type: String
            var uuid: String?
            var name: String?
            var bootable: Bool?
        }
        var partitiontable: Table
    }

    private func listing(_ path: String) throws -> Listing.Table {
        let text = try Tool.run("sfdisk", ["--json", path]).output
        return try JSONDecoder().decode(Listing.self, from: Data(text)).partitiontable
    }

    /// Every partition as sfdisk has it.
    private func compare(_ path: String, _ found: DiscoveredVolumes) throws {
        let table = try listing(path)
        let mine = found.disks[0].table
        #expect(mine.kind.rawValue == table.label)
        #expect(mine.diskIdentifier == table.id.lowercased().replacing("0x", with: ""))
        #expect(mine.entries.count == table.partitions.count)
        for (entry, theirs) in zip(mine.entries.sorted { $0.number < $1.number }, table.partitions) {
            #expect(theirs.node == "\(path)\(entry.number)")
            #expect(entry.startSector == theirs.start && entry.sectorCount == theirs.size)
            let type = entry.typeGUID?.description.uppercased() ?? String(entry.typeCode ?? 0, radix: 16)
            #expect(type == theirs.type)
            #expect(entry.name == theirs.name)
            #expect(entry.isActive == theirs.bootable ?? false)
            if let uuid = theirs.uuid { #expect(entry.partitionUUID == uuid.lowercased()) }
        }
    }

    /// Every partition's contents as blkid has them.
    private func compareContents(_ path: String, _ found: DiscoveredVolumes) throws {
        for entry in found.disks[0].table.entries {
            let range = entry.byteRange
            guard let volume = found.volume(named: "p\(entry.number)") else { continue }
            let output = try Tool.run(
                "blkid",
                ["-p", "-o", "export", "-O", "\(range.lowerBound)", "-S", "\(range.count)", path],
                expect: 0...2)
            try compare(volume.identity, output.text)
        }
    }

    private func compare(_ identity: VolumeIdentity, _ export: String) throws {
        var tags: [String: String] = [:]
        for line in export.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { tags[String(parts[0])] = String(parts[1].replacing("\\", with: "")) }
        }
        #expect(identity.kind.rawValue == tags["TYPE"] ?? "unknown", "\(export)")
        #expect(identity.uuid == tags["UUID"], "\(export)")
        #expect(identity.label?.text == tags["LABEL"], "\(export)")
    }

    /// Puts something into a partition.
    private func fill(_ path: String, _ range: Range<UInt64>, _ random: inout SeededRandom) throws {
        let kilobytes = range.count / 1024
        let piece = try directory.sparse("piece", byteCount: UInt64(range.count))
        switch Int.random(in: 0..<5, using: &random) {
        case 0: try Tool.run("mke2fs", ["-q", "-F", "-L", "boot", piece, "\(kilobytes)"])
        case 1:
            try Tool.run(
                "mke2fs", ["-q", "-F", "-O", "has_journal,extent,metadata_csum", piece, "\(kilobytes)"])
        case 2: try Tool.run("mkswap", ["-q", "-L", "swap0", piece])
        case 3 where Tool.has("mkfs.vfat"): try Tool.run("mkfs.vfat", ["-n", "EFI", piece])
        default: return
        }
        try Tool.run(
            "dd",
            [
                "if=\(piece)", "of=\(path)", "bs=512", "seek=\(range.lowerBound / 512)",
                "conv=notrunc,sparse", "status=none",
            ])
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func dos(_ seed: UInt64) throws {
        var random = SeededRandom(seed)
        let path = try directory.sparse("dos", byteCount: 64 << 20)
        var script =
            "label: dos\nlabel-id: 0x\(String(UInt32.random(in: 1 ... .max, using: &random), radix: 16))\n"
        var start = Int.random(in: 1...2048, using: &random)
        let types = ["83", "82", "8e", "fd", "7", "c", "ef", "a5"]
        let extendedSlot = Int.random(in: 1...4, using: &random)
        for slot in 1...4 where slot == extendedSlot || Bool.random(using: &random) {
            if slot == extendedSlot {
                script +=
                    "\(slot): start=\(start), size=65536, type=\(Bool.random(using: &random) ? "5" : "f")\n"
                var logical = start
                for number in 5..<5 + Int.random(in: 0...6, using: &random) {
                    logical += Int.random(in: 1...2048, using: &random)
                    let size = Int.random(in: 2048...6000, using: &random)
                    let type = types.randomElement(using: &random) ?? "83"
                    script += "\(number): start=\(logical), size=\(size), type=\(type)\n"
                    logical += size
                }
                start += 65536
            } else {
                let size = Int.random(in: 4096...12000, using: &random)
                let mark = slot == 1 ? ", bootable" : ""
                script +=
                    "\(slot): start=\(start), size=\(size), type=\(types.randomElement(using: &random) ?? "83")\(mark)\n"
                start += size + Int.random(in: 0...2048, using: &random)
            }
        }
        try Tool.run("sfdisk", ["-q", "--no-reread", path], input: script)
        for entry in try discover(fileDevice(path)).disks[0].table.entries where entry.role != .extended {
            try fill(path, entry.byteRange, &random)
        }
        // Deleting the second logical leaves a hole in the chain.
        if seed % 2 == 1, try listing(path).partitions.contains(where: { $0.node.hasSuffix("6") }) {
            try Tool.run("sfdisk", ["-q", "--no-reread", "--delete", path, "6"])
        }
        let found = try discover(fileDevice(path))
        try compare(path, found)
        try compareContents(path, found)
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func gpt(_ seed: UInt64) throws {
        var random = SeededRandom(seed)
        let path = try directory.sparse("gpt", byteCount: 64 << 20)
        let types = ["8300", "8200", "ef00", "8e00", "fd00", "0700", "ef02", "8304", "ea00"]
        let names = ["root", "", "rööt ½", "a name that is thirty-six units long"]
        var arguments = ["-a", "1"]
        // Few entries or many.
        if let size = [4, 128, 56, 400].randomElement(using: &random), size != 128 {
            arguments += ["-S", "\(size)"]
        }
        var start = 2048
        var number = 0
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            number += 1
            let size = Int.random(in: 4096...20000, using: &random)
            arguments += [
                "-n", "\(number):\(start):\(start + size - 1)", "-t",
                "\(number):\(types.randomElement(using: &random) ?? "8300")",
                "-c", "\(number):\(names.randomElement(using: &random) ?? "")",
            ]
            start += size + Int.random(in: 0...1000, using: &random)
        }
        try Tool.run("sgdisk", arguments + [path])
        for entry in try discover(fileDevice(path)).disks[0].table.entries {
            try fill(path, entry.byteRange, &random)
        }
        let found = try discover(fileDevice(path))
        #expect(!found.codes.contains { $0.hasPrefix("gpt-") }, "\(found.findings)")
        try compareGPT(path, found)
        try compareContents(path, found)
    }

    /// sfdisk garbles names beyond ASCII in JSON, so names are compared with sgdisk's.
    private func compareGPT(_ path: String, _ found: DiscoveredVolumes) throws {
        let table = try listing(path)
        let mine = found.disks[0].table
        #expect(mine.kind == .gpt && mine.diskIdentifier == table.id.lowercased())
        #expect(mine.entries.count == table.partitions.count)
        for (entry, theirs) in zip(mine.entries, table.partitions) {
            #expect(theirs.node == "\(path)\(entry.number)")
            #expect(entry.startSector == theirs.start && entry.sectorCount == theirs.size)
            #expect(entry.typeGUID?.description.uppercased() == theirs.type)
            #expect(entry.partitionUUID == theirs.uuid?.lowercased())
            let info = try Tool.run("sgdisk", ["-i", "\(entry.number)", path]).text
            #expect(info.contains("Partition name: '\(entry.name ?? "")'"), "\(info)")
        }
    }

    @Test func fileSystemsOnWholeDisks() throws {
        let makers: [(tool: String, arguments: [String], megabytes: UInt64)] = [
            ("mke2fs", ["-q", "-F", "-b", "1024"], 8), ("mke2fs", ["-q", "-F", "-j", "-L", "journaled"], 16),
            ("mke2fs", ["-q", "-F", "-O", "has_journal,extent,64bit,metadata_csum,flex_bg"], 16),
            ("mke2fs", ["-q", "-F", "-O", "extent"], 16), ("mke2fs", ["-q", "-F", "-O", "journal_dev"], 8),
            ("mkswap", ["-q", "-L", "sw"], 4), ("mkswap", ["-q", "-p", "65536"], 4),
            ("mkfs.vfat", ["-F", "12", "-n", "TWELVE"], 4), ("mkfs.vfat", ["-F", "16"], 32),
            ("mkfs.vfat", ["-F", "32", "-n", "THIRTYTWO", "-i", "00abcdef"], 64),
            ("mkfs.vfat", ["-S", "4096", "-F", "32"], 300),
            ("mkfs.xfs", ["-q", "-f", "-L", "xlabel"], 300),
            ("mkfs.btrfs", ["-q", "-f", "-L", "blabel"], 120),
            ("mkfs.ntfs", ["-q", "-F", "-Q", "-L", "nlabel"], 16), ("mkfs.exfat", [], 16),
            ("mkfs.f2fs", ["-q", "-l", "flabel"], 64), ("mkfs.jfs", ["-q"], 32),
            ("mkfs.reiserfs", ["-q", "-f", "-f"], 64),
        ]
        for (index, maker) in makers.enumerated() where Tool.has(maker.tool) {
            let path = try directory.sparse("fs\(index)", byteCount: maker.megabytes << 20)
            try Tool.run(maker.tool, maker.arguments + [path])
            let found = try discover(fileDevice(path))
            #expect(found.disks[0].table.kind == .none, "\(maker)")
            #expect(found.volumes.map(\.name) == ["disk"], "\(maker)")
            let export = try Tool.run("blkid", ["-p", "-o", "export", path]).text
            try compare(found.volumes[0].identity, export)
            #expect(found.volumes[0].candidates.count == 1, "\(maker): \(found.findings)")
        }
    }

    /// What is said of a Btrfs of several disks is what blkid says, and one without the others is not whole.
    @Test(.enabled(if: Tool.has("mkfs.btrfs", "blkid"), "btrfs-progs are missing"))
    func aFileSystemOfSeveralDisks() throws {
        let directory = try TemporaryDirectory()
        let paths = try ["a", "b"].map { try directory.sparse($0, byteCount: 120 << 20) }
        try Tool.run("mkfs.btrfs", ["-q", "-f", "-d", "single", "-m", "raid1"] + paths)
        let both = try discover(disks: paths.map { try fileDevice($0) })
        for (volume, path) in zip(both.volumes, paths) {
            let export = try Tool.run("blkid", ["-p", "-o", "export", path]).text
            let member = try #require(volume.identity.member)
            #expect(export.contains("UUID_SUB=\(member.uuid)\n") && member.count == 2)
            #expect(volume.lacking == nil)
        }
        let one = try discover(disks: [fileDevice(paths[0])])
        #expect(one.volumes[0].lacking == "its btrfs lies on 2 devices, of which 1 was given")
        // A copy in the place of the other device is no second one.
        let copy = directory.path("copy")
        try FileManager.default.copyItem(atPath: paths[0], toPath: copy)
        let doubled = try discover(disks: [paths[0], copy].map { try fileDevice($0) })
        #expect(doubled.volumes.allSatisfy { $0.lacking != nil })
    }
}
