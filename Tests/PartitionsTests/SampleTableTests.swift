internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing

/// The partition tables of samples/ext4/partition-tables: what sfdisk says of each, and what it cannot read.
@Suite(.enabled(if: SharedSamples.present, "\(SharedSamples.skipMessage)"))
struct SampleTableTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open(_ name: String) throws -> DiscoveredVolumes {
        try discover(sample("partition-tables/\(name).img.zst", in: directory))
    }

    private static let linux = "0fc63daf-8483-4772-8e79-3d69d8477de4"
    private static let usual = [
        "1 83968+47071 \(linux)", "14 2048+8192 21686148-6449-6e6f-744e-656564454649",
        "15 10240+40960 c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
        "16 51200+32768 bc13c2ff-59e6-4262-a352-b275fd6f7172",
    ]

    @Test func primaryAndLogical() throws {
        let found = try open("mbr-extended")
        #expect(found.disks[0].table.kind == .dos)
        #expect(found.disks[0].table.diskIdentifier == "1a2b3c4d")
        #expect(
            found.layout == [
                "1 2048+8192 83", "2 10240+8192 82", "3 20480+100000 5", "4 122880+4096 8e",
                "5 22528+4096 83",
                "6 28672+4096 83", "7 34816+8192 fd", "8 45056+2048 c",
            ])
        #expect(found.volumes.map(\.name) == ["p1", "p2", "p4", "p5", "p6", "p7", "p8"])
        #expect(found.volume(named: "p6")?.partitionUUID == "1a2b3c4d-06")
        #expect(found.volume(named: "p6")?.typeName == "Linux")
        #expect(found.disks[0].table.entries[0].isActive)
    }

    @Test func deletedLogical() throws {
        let found = try open("mbr-extended-deleted-logical")
        #expect(found.layout.suffix(3) == ["5 22528+4096 83", "6 34816+8192 fd", "7 45056+2048 c"])
    }

    @Test func logicalLoop() throws {
        let found = try open("mbr-ebr-loop")
        #expect(found.layout.count == 8)
        #expect(found.codes.contains("logical-loop"))
    }

    @Test(
        arguments: [
            ("gpt-512", []), ("gpt-hybrid", ["gpt-hybrid-mbr"]),
            ("gpt-backup-corrupt", ["gpt-backup-damaged"]), ("gpt-primary-corrupt", ["gpt-primary-damaged"]),
            ("gpt-primary-entries-corrupt", ["gpt-primary-damaged"]),
            ("gpt-grown-backup-not-at-end", ["gpt-backup-displaced"]),
            ("gpt-no-protective-mbr", ["gpt-no-protective-mbr"]),
        ] as [(String, [String])])
    func usualGPT(_ name: String, _ codes: [String]) throws {
        let found = try open(name)
        #expect(found.disks[0].table.kind == .gpt)
        #expect(found.layout == Self.usual)
        #expect(found.codes == codes)
        #expect(found.disks[0].table.diskIdentifier == "11111111-2222-3333-4444-555555555555")
        #expect(found.volume(named: "p1")?.partitionLabel == "rööt")
        #expect(found.volume(named: "p1")?.partitionUUID == "aaaaaaaa-0000-4000-8000-000000000001")
        #expect(found.volume(named: "p15")?.typeName == "EFI System")
    }

    @Test func truncatedGPT() throws {
        let found = try open("gpt-truncated-no-backup")
        #expect(found.layout == Self.usual)
        #expect(found.codes.contains("gpt-backup-missing"))
        let last = found.disks[0].table.entries[0]
        #expect(last.isClipped && last.byteRange.upperBound == found.disks[0].byteCount)
        #expect(found.codes.contains("partition-past-end"))
    }

    @Test func otherShapes() throws {
        var found = try open("gpt-4kn")
        #expect(found.disks[0].table.sectorSize == 4096)
        #expect(found.disks[0].table.kind == .gpt)
        #expect(!found.layout.isEmpty)
        found = try open("gpt-entry256")
        #expect(found.layout == ["1 4096+61440 \(Self.linux)", "6 65536+32768 \(Self.linux)"])
        found = try open("gpt-4entries")
        #expect(found.layout == ["4 4096+61440 \(Self.linux)"])
        #expect(found.volume(named: "p4")?.partitionLabel == "last")
    }

    @Test func otherSystemsLabels() throws {
        func kind(_ name: String) throws -> DiscoveredVolumes {
            try discover(sample("util-linux-blkid/images-pt/\(name).img.xz", in: directory))
        }
        let mixed = try kind("dos+bsd")
        #expect(mixed.disks[0].table.kind == .dos)
        #expect(mixed.layout == ["1 32+7648 83", "2 7680+8704 a5", "5 7936+4864 7", "6 12544+3584 7"])
        #expect(mixed.codes.contains("bsd-label"))
        #expect(try kind("bsd").layout == ["1 7936+4864 7", "2 12544+3584 7"].map { $0 })
        #expect(try kind("sun").disks[0].table.kind == .sun)
        #expect(try kind("sgi").disks[0].table.kind == .sgi)
        let gpt = try kind("gpt")
        #expect(gpt.layout.count == 5)
        #expect(gpt.volume(named: "p1")?.partitionLabel == "ThisIsName")
    }
}
