internal import Partitions
internal import Storage
@_spi(Testing) internal import TestSupport
internal import Testing

/// Repairing either copy of a GPT; sgdisk and sfdisk judge.
struct GPTRepairTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// 2 MiB with two partitions, boot code and a disk signature.
    private func disk() throws -> [UInt8] {
        let path = try directory.sparse("disk", byteCount: 2 << 20)
        try Tool.run(
            "sfdisk", ["-q", path],
            input: "label: gpt\nstart=256, size=1024, name=one\nstart=1536, size=512, name=two\n")
        var bytes = try fileBytes(path)
        for index in 0..<446 { bytes[index] = UInt8(truncatingIfNeeded: index * 7 + 1) }
        return bytes
    }

    private func partitions(_ bytes: [UInt8]) throws -> String {
        let path = try directory.write("judge", bytes)
        let verdict = try Tool.run("sgdisk", ["-v", path]).text
        #expect(verdict.contains("No problems found"), "\(verdict)")
        return try Tool.run("sfdisk", ["-d", path]).text.split(separator: "\n")
            .filter { $0.contains("start=") }.joined(separator: "\n")
    }

    /// Repairs, and cuts the power everywhere: the table can be read at any time.
    private func repair(_ damaged: [UInt8], actions: Int) throws -> [UInt8] {
        let device = MemoryDevice(damaged)
        let before = try discover(device).layout
        let repair = try #require(try GPTRepair.plan(device))
        #expect(repair.actions.count == actions, "\(repair.actions)")
        #expect(device.events.isEmpty)
        try repair.commit(to: device)
        let events = device.events
        #expect(events.count { $0 == .flush } == repair.writes.phases.count)
        #expect(events.last == .flush)
        // Any part of a phase may have reached the disk, sector by sector.
        try PowerCut.replay(repair.writes, onto: damaged) { state in
            #expect(try discover(MemoryDevice(state.image)).layout == before, "\(state.label)")
            // A second repair finishes what was cut short.
            let again = MemoryDevice(state.image)
            try GPTRepair.plan(again)?.commit(to: again)
            #expect(again.contents == device.contents, "\(state.label)")
        }
        // And the first half of a write, within a sector too.
        for (index, event) in events.enumerated() {
            guard case .write(let offset, let bytes) = event else { continue }
            let half = MemoryDevice.Event.write(offset: offset, bytes: Array(bytes.prefix(bytes.count / 2)))
            let cut = MemoryDevice.replay(damaged, events.prefix(index) + [half])
            #expect(try discover(MemoryDevice(cut)).layout == before)
        }
        #expect(try GPTRepair.plan(device) == nil)
        #expect(try discover(device).findings == [])
        #expect(Array(device.contents[..<446]) == Array(damaged[..<446]))
        return device.contents
    }

    @Test func nothingToDo() throws {
        let bytes = try disk()
        #expect(try GPTRepair.plan(MemoryDevice(bytes)) == nil)
        #expect(try GPTRepair.plan(MemoryDevice(byteCount: 1 << 20)) == nil)
        #expect(try discover(MemoryDevice(bytes)).findings == [])
    }

    @Test(arguments: [512 + 60, 1024 + 5, 512])
    func primaryDamaged(_ place: Int) throws {
        let sound = try disk()
        var bytes = sound
        bytes[place] ^= 0x40
        #expect(try repair(bytes, actions: 1) == sound)
    }

    @Test func backupDamaged() throws {
        let sound = try disk()
        for place in [sound.count - 512, sound.count - 512 + 30, sound.count - 33 * 512 + 3] {
            var bytes = sound
            bytes[place] ^= 0x40
            #expect(try repair(bytes, actions: 1) == sound)
        }
    }

    @Test func grownDisk() throws {
        let sound = try disk()
        let before = try partitions(sound)
        let grown = sound + [UInt8](repeating: 0, count: 1 << 20)
        #expect(try partitions(repair(grown, actions: 3)) == before)
        // With the primary lost as well, the backup is found by the protective MBR's size.
        var lost = grown
        for index in 512..<1024 { lost[index] = 0 }
        #expect(try discover(MemoryDevice(lost)).disks[0].table.source == .displacedBackup)
        #expect(try partitions(repair(lost, actions: 4)) == before)
    }

    @Test func shortenedDisk() throws {
        let sound = try disk()
        let before = try partitions(sound)
        #expect(try partitions(repair(Array(sound.prefix(7 << 18)), actions: 3)) == before)
        // A partition where the backup must go.
        let error = #expect(throws: StorageError.self) {
            try GPTRepair.plan(MemoryDevice(Array(sound.prefix(2048 * 512 + 10 * 512))))
        }
        #expect(error?.kind == .refused && error?.code == "no-room-for-backup")
    }

    @Test func copiesThatDiffer() throws {
        let first = try disk()
        let path = try directory.write("other", first)
        try Tool.run("sgdisk", ["-c", "2:renamed", path])
        let second = try fileBytes(path)
        let mixed = Array(first[..<(1 << 20)]) + Array(second[(1 << 20)...])
        #expect(try discover(MemoryDevice(mixed)).codes == ["gpt-copies-differ"])
        #expect(try repair(mixed, actions: 1) == first)
    }

    @Test func protectiveMBR() throws {
        let sound = try disk()
        var bytes = sound
        for index in 446..<512 { bytes[index] = 0 }
        #expect(try partitions(repair(bytes, actions: 1)) == partitions(sound))
        // A hybrid's own entries stay.
        bytes = sound
        bytes.put([0x80, 0, 2, 0, 0x83, 0, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0], at: 462)
        #expect(try GPTRepair.plan(MemoryDevice(bytes)) == nil)
    }

    @Test func refusals() throws {
        let sound = try disk()
        var bytes = sound
        bytes[600] ^= 1
        bytes[sound.count - 480] ^= 1
        let error = #expect(throws: StorageError.self) { try GPTRepair.plan(MemoryDevice(bytes)) }
        #expect(error?.kind == .refused && error?.code == "no-good-copy")
        #expect(try discover(MemoryDevice(bytes)).codes == ["gpt-lost"])
        // The disk changed in between.
        bytes = sound
        bytes[600] ^= 1
        let device = MemoryDevice(bytes)
        let plan = try #require(try GPTRepair.plan(device))
        try device.write([9], at: UInt64(sound.count) - 480)
        device.clearEvents()
        let changed = #expect(throws: StorageError.self) { try plan.commit(to: device) }
        #expect(changed?.code == "table-changed" && device.events.isEmpty)
    }

    @Test(.enabled(if: SharedSamples.present, "\(SharedSamples.skipMessage)"))
    func sectorsOf4096() throws {
        let device = try sample("partition-tables/gpt-4kn.img.zst", in: directory)
        let bytes = try device.bytes(at: 0, count: Int(device.byteCount))
        #expect(try GPTRepair.plan(MemoryDevice(bytes)) == nil)
        for place in [4096 + 60, bytes.count - 4096 + 60] {
            var damaged = bytes
            damaged[place] ^= 1
            let disk = MemoryDevice(damaged)
            try #require(try GPTRepair.plan(disk)).commit(to: disk)
            let isRepaired = disk.contents == bytes
            #expect(isRepaired)
        }
    }
}
