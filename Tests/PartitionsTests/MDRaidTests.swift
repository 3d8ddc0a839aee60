internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing

struct MDRaidTests {
    private func found(
        _ members: [MDFixture], _ contents: (Int) -> [UInt8] = { _ in [] }, degraded: Bool = false
    ) throws -> (DiscoveredVolumes, [MemoryDevice]) {
        let disks = members.enumerated().map { MemoryDevice($1.bytes(contents($0))) }
        return (try VolumeDiscovery.discover(disks: disks, probe: probe, allowDegraded: degraded), disks)
    }

    private func pair(_ change: (inout MDFixture) -> Void = { _ in }) -> [MDFixture] {
        (0..<2).map { role in
            var member = MDFixture()
            member.role = role
            change(&member)
            return member
        }
    }

    /// A small ext4 file system.
    private func ext4() throws -> [UInt8] {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("fs", byteCount: 4 << 20)
        try Tool.run("mke2fs", ["-q", "-O", "extent,has_journal", "-L", "boot", path])
        return try fileBytes(path)
    }

    @Test(arguments: [MDFixture.Format.old, .end, .start, .usual])
    func mirrorOfEveryFormat(_ format: MDFixture.Format) throws {
        let fs = try ext4()
        let (found, disks) = try found(pair { $0.format = format }) { _ in fs }
        let name = format == .old ? "md3" : "md0"
        let volume = try #require(found.volume(named: name))
        #expect(volume.identity.kind == .ext4)
        #expect(volume.location == .array(name: format == .old ? "3" : "0"))
        // A leg with its superblock behind the data looks like the file system too, and is still a member.
        let leg = try #require(found.volume(named: "disk"))
        #expect(leg.identity.kind == .mdRAID)
        let shows = format == .old || format == .end
        #expect(leg.candidates.map(\.kind) == (shows ? [.mdRAID, .ext4] : [.mdRAID]))
        #expect(found.codes.contains("ambiguous-volume") == shows)

        let device = try #require(volume.device as? MappedDevice)
        #expect(device.byteCount == UInt64(pair { $0.format = format }[0].dataByteCount))
        #expect(device.writeRefusal == nil)
        try device.write([7, 7], at: 3)
        for (disk, member) in zip(disks, pair { $0.format = format }) {
            #expect(Array(disk.contents[member.dataOffset + 3..<member.dataOffset + 5]) == [7, 7])
        }
    }

    @Test(.enabled(if: Tool.has("mdadm"), "mdadm is not installed"))
    func mdadmAgrees() throws {
        let directory = try TemporaryDirectory()
        for (format, version) in [
            (MDFixture.Format.old, "0.90.00"), (.end, "1.0"), (.start, "1.1"), (.usual, "1.2"),
        ] {
            for level in [0, 1, 5, 10] as [Int32] {
                var member = MDFixture()
                (member.format, member.level, member.members) = (format, level, 4)
                member.layout = level == 10 ? 0x102 : level == 5 ? 2 : 0
                member.chunkSectors = level == 1 ? 0 : 128
                let path = try directory.write("member", member.bytes())
                let text = try Tool.run("mdadm", ["--examine", path]).text
                #expect(text.contains("Version : \(version)"))
                #expect(text.contains(" - correct"), "\(text)")
                #expect(text.contains("Raid Level : raid\(level)"))
                let array = try discover(fileDevice(path)).arrays[0]
                #expect(array.level == "raid\(level)" && array.memberCount == 4)
                let uuid = array.uuid.description.replacing("-", with: "")
                let shown = try Tool.run("mdadm", ["--examine", "--export", path]).text
                #expect(shown.replacing(":", with: "").contains("MD_UUID=\(uuid)"))
            }
        }
    }

    @Test func freshestLegIsRead() throws {
        var members = pair()
        members[0].events = 5
        members[1].active = [1]
        let (found, _) = try found(members) { [UInt8($0) + 1] }
        let device = try #require(found.volume(named: "md0")?.device as? MappedDevice)
        #expect(try device.bytes(at: 0, count: 1) == [2])
        #expect(found.codes.contains("array-stale-member") && found.codes.contains("array-degraded"))
        // The array itself goes on without the first leg, so writing the second alone is what it expects.
        #expect(device.writeRefusal == nil)
    }

    /// Each went on without the other: which of them the machine starts is chance, whoever has more events.
    @Test(arguments: [10, 30] as [UInt64]) func legsThatWentApart(_ events: UInt64) throws {
        var members = pair()
        members[0].active = [0]
        members[0].events = events
        members[1].active = [1]
        let (found, _) = try found(members) { [UInt8($0) + 1] }
        let volume = try #require(found.volume(named: "md0"))
        #expect(volume.dividedArrays.count == 1 && volume.degradedArrays.isEmpty)
        #expect(volume.dividedArrays.first?.contains("were each used without the other") == true)
        #expect(found.codes.contains("array-stale-member"))
        // One that only fell behind counts on the other.
        members[1].active = [0, 1]
        members[1].events = 4
        let (behind, _) = try self.found(members) { [UInt8($0) + 1] }
        #expect(behind.volume(named: "md0")?.dividedArrays == [])
    }

    @Test func missingLegRefusesWritingUnlessAllowed() throws {
        let one = [pair()[1]]
        var (found, _) = try found(one)
        #expect(found.arrays[0].writeRefusal?.code == "degraded")
        #expect(found.volume(named: "md0")?.degradedArrays == ["md0 has 1 of 2 members"])
        (found, _) = try self.found(one, degraded: true)
        #expect(found.arrays[0].writeRefusal == nil)
        // One that knows that it is alone may be written.
        (found, _) = try self.found(pair { $0.active = [1] }.suffix(1))
        #expect(found.arrays[0].writeRefusal == nil)
        #expect(found.volume(named: "md0")?.degradedArrays == [])
    }

    @Test func rebuildingLegIsNotRead() throws {
        var members = pair()
        members[0].recoveryOffset = 100
        let (found, _) = try found(members) { [UInt8($0) + 1] }
        #expect(try found.volume(named: "md0")?.device.bytes(at: 0, count: 1) == [2])
        #expect(found.arrays[0].writeRefusal?.code == "stale-member")
    }

    @Test func featuresThatMatter() throws {
        // Reshape under way; a journal.
        #expect(try found(pair { $0.features = 4 }).0.arrays[0].readRefusal?.code == "reshape")
        #expect(try found(pair { $0.features = 0x200 }).0.arrays[0].readRefusal?.code == "journal")
        // A replacement has the role of the member that it is to replace and is neither read nor in the way.
        var members = pair()
        var replacement = members[0]
        replacement.features = 0x10
        members.insert(replacement, at: 0)
        let (found, _) = try found(members) { [UInt8($0) + 1] }
        #expect(try found.volume(named: "md0")?.device.bytes(at: 0, count: 1) == [2])
    }

    @Test func stripesTenAndLinear() throws {
        func members(_ level: Int32, _ layout: UInt32, _ count: Int) -> [MDFixture] {
            (0..<count).map { role in
                var member = MDFixture()
                (member.level, member.layout, member.chunkSectors, member.members) = (
                    level, layout, 128, count
                )
                member.role = role
                return member
            }
        }
        func marks(_ found: DiscoveredVolumes, _ count: UInt64) throws -> [UInt8] {
            let device = try #require(found.volume(named: "md0")?.device)
            return try (0..<count).map { try device.bytes(at: $0 * 65536, count: 1)[0] }
        }
        func rows(_ role: Int) -> [UInt8] {
            (0..<4).flatMap { row in [UInt8(row * 10 + role)] + [UInt8](repeating: 0, count: 65535) }
        }
        var (found, _) = try found(members(0, 0, 3), rows)
        #expect(try marks(found, 5) == [0, 1, 2, 10, 11])
        let size = UInt64(MDFixture().dataByteCount)
        #expect(found.volume(named: "md0")?.device.byteCount == size * 3)
        (found, _) = try self.found(members(10, 0x102, 4), rows)
        #expect(try marks(found, 4) == [0, 2, 10, 12])
        #expect(found.volume(named: "md0")?.device.byteCount == size * 2)
        (found, _) = try self.found(members(10, 0x201, 2), rows)
        #expect(try marks(found, 3) == [0, 1, 10])
        #expect(found.arrays[0].writeRefusal?.code == "level")
        (found, _) = try self.found(members(5, 2, 3), rows)
        #expect(try marks(found, 4) == [0, 1, 12, 10])
        #expect(found.arrays[0].writeRefusal?.code == "parity")
        (found, _) = try self.found(members(-1, 0, 2), rows)
        #expect(try marks(found, 2) == [0, 10])
        #expect(try found.volume(named: "md0")?.device.bytes(at: size, count: 1) == [1])
        // A member short: striped data is not readable, near copies are.
        (found, _) = try self.found(Array(members(0, 0, 3).prefix(2)), rows)
        #expect(found.arrays[0].readRefusal?.code == "incomplete")
        (found, _) = try self.found(Array(members(10, 0x102, 4).dropFirst()), rows)
        #expect(try marks(found, 2) == [0, 1])
        #expect(found.arrays[0].writeRefusal?.code == "degraded")
    }

    /// Of a member that is there twice the first is read, and the copy left alone.
    @Test(arguments: [0, 1] as [Int32]) func sameMemberTwice(_ level: Int32) throws {
        var member = pair()[0]
        member.level = level
        member.active = [0]
        let (found, disks) = try found([member, member]) { [UInt8($0) + 1] }
        #expect(found.codes.contains("array-member-copy"))
        #expect(found.arrays.map { $0.members.map(\.isCurrent) } == [[true, false]])
        guard level == 1 else { return }
        let volume = try #require(found.volume(named: "md0"))
        #expect(volume.dividedArrays.first?.contains("2:disk and disk are the same member of md0") == true)
        #expect(try volume.device.bytes(at: 0, count: 1) == [1])
        let before = try disks[1].bytes(at: 0, count: Int(disks[1].byteCount))
        let device = try #require(volume.device as? any WritableBlockDevice)
        try device.write([9], at: 0)
        #expect(try volume.device.bytes(at: 0, count: 1) == [9])
        #expect(try disks[1].bytes(at: 0, count: Int(disks[1].byteCount)) == before)
    }

    /// Beside another member either could be the real one, and what has another member's own UUID is no copy.
    @Test func sameMemberTwiceBesideAnother() throws {
        for members in [[pair()[0], pair()[1], pair()[0]], [pair()[0], pair()[0], pair()[1]]] {
            let error = #expect(throws: StorageError.self) { try found(members) }
            #expect(error?.kind == .refused && error?.code == "duplicate-role")
        }
        // One that fell behind is told by that.
        var behind = pair()[0]
        behind.events -= 5
        let (stale, _) = try found([pair()[0], pair()[1], behind])
        #expect(stale.codes.contains("array-stale-member") && !stale.codes.contains("array-member-copy"))
    }

    @Test func leftOverSuperblockBehindALargerFileSystem() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("disk", byteCount: 8 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-O", "extent,has_journal", "-b", "1024", path, "8192"])
        // mke2fs wipes the superblock that it finds: put it back, as if the array had been made and stopped since.
        var disk = try fileBytes(path)
        disk.put(Array(MDFixture(format: .end).bytes().suffix(8192)), at: (8 << 20) - 8192)
        try directory.write("disk", disk)
        let found = try discover(fileDevice(path))
        #expect(found.volumes[0].identity.kind == .ext4)
        #expect(found.volumes[0].candidates.map(\.kind) == [.ext4, .mdRAID])
        #expect(found.arrays.isEmpty)
    }

    @Test func groupOnAnArray() throws {
        let text = LVMFixture.group(
            physical: [LVMFixture.first], logical: LVMFixture.linear("root", "\"pv0\", 0"), extents: 5)
        let volume = LVMFixture(LVMFixture.first, megabytes: 6).bytes(text)
        let (found, disks) = try found(pair { $0.format = .end }) { _ in volume }
        #expect(found.volumes.map(\.name) == ["disk", "2:disk", "md0", "vg/root"])
        #expect(found.groups[0].physicalVolumes[0].volume == "md0")
        let device = try #require(found.volume(named: "vg/root")?.device as? MappedDevice)
        try device.write([5], at: 0)
        for disk in disks { #expect(disk.contents[1 << 20] == 5) }
    }

    /// Arrays of whole disks with a table inside: the table shows on every member.
    @Test(arguments: [MDFixture.Format.old, .end])
    func tableOnAnArray(_ format: MDFixture.Format) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("disk", byteCount: 6 << 20)
        try Tool.run("sfdisk", ["-q", path], input: "label: dos\nstart=2048, size=4096, type=83\n")
        var disk = try fileBytes(path)
        disk.put(try ext4().prefix(2 << 20).map { $0 }, at: 1 << 20)
        let (found, _) = try found(pair { $0.format = format }) { _ in disk }
        let name = format == .old ? "md3p1" : "md0p1"
        #expect(found.volumes.map(\.name) == ["disk", "2:disk", name])
        #expect(found.volume(named: name)?.identity.kind == .ext4)
        #expect(found.arrays[0].table?.entries.count == 1)

        // The same superblock of version 0.90 in a last partition that reaches to the disk's end.
        var member = MDFixture(format: .old)
        member.byteCount = 6 << 20
        let leg = member.bytes(try ext4().prefix(1 << 20).map { $0 })
        let plain = try directory.sparse("plain", byteCount: 8 << 20)
        try Tool.run("sfdisk", ["-q", plain], input: "label: dos\nstart=4096, size=12288, type=fd\n")
        var whole = try fileBytes(plain)
        whole.put(leg, at: 2 << 20)
        let partitions = try discover(MemoryDevice(whole))
        #expect(partitions.volumes.map(\.name) == ["p1", "md3"])
        #expect(partitions.volumes[0].identity.kind == .mdRAID)
    }
}
