import Patcher
import Storage
import TestSupport
import Testing

/// A device that must not be written, whatever it was opened for.
private final class KeptDevice: BlockDevice {
    let byteCount: UInt64 = 512
    let sectorSize: UInt32 = 512
    var hostFiles: [any ByteFile] { [] }
    var lastingRefusal: StorageError? {
        StorageError(.refused, DeviceCode.readOnly, "md0 counts on 2 members and 1 of them is missing")
    }

    func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) { target.zero() }
    func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        Extent(range: offset..<byteCount, kind: .zero)
    }
}

extension MutableRawSpan {
    fileprivate mutating func zero() {
        for index in 0..<byteCount { storeBytes(of: 0, toByteOffset: index, as: UInt8.self) }
    }
}

/// Volumes that are not written, and volumes that are damaged.
@Suite struct UnwritableVolumeTests {
    /// What cannot be written is refused by the plan already.
    @Test func anArrayThatIsNotWritten() throws {
        var guest = FieldGuest([
            "/boot/grub/grub.cfg": "set default=0\n" + FieldGuest.entry("A", "root=/dev/sda1")
        ])
        #expect(try guest.disk.plan("kvm").outcome == .bootsWithEdits)
        guest.disk.volumes[0].device = KeptDevice()
        let plan = try guest.disk.plan("kvm")
        #expect(plan.refusal?.code == .unwritableNames && plan.actions.isEmpty)
        #expect(plan.refusal?.sentence.plain.contains("md0 counts on 2 members") == true)
        // Where nothing must be written it is no matter.
        var other = FieldGuest()
        other.disk.volumes[0].device = KeptDevice()
        #expect(try other.disk.plan("kvm").outcome == .boots)
    }

    private func plan(_ row: String) throws -> Plan {
        var guest = FieldGuest(["/etc/fstab": "UUID=\(fieldRoot) / ext4 defaults 0 1\n\(row)\n"])
        guest.disk.partition(2, .ext4, uuid: fieldData, readable: false)
        let survey = try GuestFinder.survey(
            volumes: guest.disk.volumes, fileSystems: guest.disk.fileSystems, diskCount: 1,
            bootCode: guest.disk.bootCode, unread: [1: "the superblock is damaged"], damaged: [1])
        return try Planner.plan(
            try #require(survey.guests.first), PlanRequest(target: try #require(Target.named("kvm"))))
    }

    @Test func twoXFSOfOneUUID() throws {
        func plan(_ options: String, _ kind: VolumeIdentity.Kind = .xfs) throws -> Plan {
            var guest = FieldGuest([
                "/etc/fstab":
                    "UUID=\(fieldRoot) / ext4 defaults 0 1\nLABEL=a /a xfs defaults 0 0\nLABEL=b /b xfs \(options) 0 0\n"
            ])
            guest.disk.partition(2, kind, uuid: fieldData, label: "a")
            guest.disk.partition(3, kind, uuid: fieldData, label: "b")
            return try guest.disk.plan("kvm")
        }
        #expect(try plan("defaults").defaultVerdict?.doubt?.code == .sharedXFS)
        #expect(try plan("defaults").outcome == .notKnown)
        for options in ["nouuid", "defaults,nofail", "noauto"] {
            #expect(try plan(options).outcome == .boots)
        }
    }

    @Test(arguments: [
        "netroot=iscsi:@10.0.0.1::3260::iqn.2015-02.x", "rd.iscsi.firmware=1", "ISCSI_TARGET_IP=10.0.0.1",
    ])
    func aDiskOverTheNetwork(_ argument: String) throws {
        let menu = "set default=0\n" + FieldGuest.entry("A", "root=UUID=\(fieldRoot) \(argument)")
        let plan = try FieldGuest(["/boot/grub/grub.cfg": menu]).disk.plan("kvm")
        #expect(plan.outcome == .notKnown && plan.defaultVerdict?.doubt?.code == .awaitsTarget)
    }

    @Test func aPartitionTableThatIsReadFromTheEnd() throws {
        func code(_ tables: Set<Int>, _ bootCode: BootCode = .grub2) throws -> (Plan, VerdictReason.Code?) {
            let guest = FieldGuest().disk
            let survey = try GuestFinder.survey(
                volumes: guest.volumes, fileSystems: guest.fileSystems, diskCount: 2, bootCode: [bootCode],
                damagedTables: tables)
            let plan = try Planner.plan(
                try #require(survey.guests.first), PlanRequest(target: try #require(Target.named("kvm"))))
            return (plan, plan.stop)
        }
        #expect(try code([0]).1 == .tableDamaged && code([0]).0.refusal?.code == .defaultCannot)
        #expect(try code([1]).0.outcome == .boots && code([]).0.outcome == .boots)
    }

    /// What Linux does not make of the given disks is not there; what is whole in a group that is not may come or not.
    @Test func aGroupThatIsNotWhole() throws {
        func guest(_ row: String, _ change: (inout Volume) -> Void) throws -> FieldGuest {
            var guest = FieldGuest(["/etc/fstab": "UUID=\(fieldRoot) / ext4 defaults 0 1\n\(row)\n"])
            guest.disk.logicalVolume("vg", "data", .ext4, uuid: fieldData)
            change(&guest.disk.volumes[1])
            return guest
        }
        let partial = { (volume: inout Volume) in volume.lacking = "a part of it is missing" }
        for name in ["/dev/mapper/vg-data", "/dev/vg/data", "UUID=\(fieldData)"] {
            let guest = try guest("\(name) /data ext4 defaults 0 2", partial)
            #expect(try guest.disk.patch("kvm").outcome == .bootsWithEdits)
            #expect(guest.rows == "\(name) /data ext4 defaults,nofail 0 2")
        }
        #expect(
            try guest("/dev/vg/data /var ext4 defaults 0 2", partial).disk.plan("kvm").refusal?.code
                == .rowStopsBoot)
        let awaited = try guest("", partial)
        awaited.root.write(
            "/boot/grub/grub.cfg",
            "set default=0\n" + FieldGuest.entry("A", "root=UUID=\(fieldRoot) rd.lvm.lv=vg/data"))
        #expect(try awaited.disk.patch("kvm").outcome == .bootsWithEdits)
        #expect(!awaited.text("/boot/grub/grub.cfg").contains("rd.lvm.lv"))
        let whole = { (volume: inout Volume) in volume.incompleteGroup = "volume group vg lacks 1 of 2" }
        let plan = try guest("/dev/vg/data /var ext4 defaults 0 2", whole).disk.plan("kvm")
        #expect(plan.outcome == .notKnown && plan.defaultVerdict?.doubt?.code == .groupIncomplete)
        #expect(try guest("/dev/vg/data /data ext4 nofail 0 2", whole).disk.plan("kvm").outcome == .boots)
    }

    /// Of a volume that claims more than its device has, the end was cut off, unless it counts several devices.
    @Test(arguments: [VolumeIdentity.Kind.ext4, .xfs, .ntfs, .btrfs])
    func aVolumeLongerThanItsDevice(_ kind: VolumeIdentity.Kind) throws {
        var guest = FieldGuest([
            "/etc/fstab": "UUID=\(fieldRoot) / ext4 defaults 0 1\nUUID=\(fieldData) /data auto defaults 0 2\n"
        ])
        guest.disk.partition(2, kind, uuid: fieldData)
        guest.disk.volumes[1].identity.byteCount = 1 << 50
        let doubts = try guest.disk.plan("kvm").defaultVerdict?.findings.map(\.reason.code) ?? []
        #expect(doubts.contains(.volumeDamaged) == (kind != .btrfs))
    }

    @Test func aDamagedVolumeThatIsWaitedFor() throws {
        let plan = try plan("UUID=\(fieldData) /data ext4 defaults 0 2")
        #expect(plan.outcome == .notKnown && plan.refusal == nil)
        #expect(plan.defaultVerdict?.doubt?.code == .volumeDamaged)
        for options in ["noauto", "nofail", "defaults,nofail"] {
            #expect(try self.plan("UUID=\(fieldData) /data ext4 \(options) 0 2").outcome == .boots)
        }
    }
}
