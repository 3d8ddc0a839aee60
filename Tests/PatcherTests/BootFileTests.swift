import Patcher
import Storage
import Testing

/// What a menu loads must be there.
@Suite struct BootFileTests {
    private let two = FieldGuest.entry("New", kernel: "6.1.0-30") + FieldGuest.entry("Old")

    @Test(arguments: ["0", "New", "no such entry"])
    func aDefaultWithoutItsKernelGivesWay(_ name: String) throws {
        let guest = FieldGuest(["/boot/grub/grub.cfg": "set default=\"\(name)\"\n" + two])
        #expect(try guest.disk.plan("kvm", skip: [.defaultEntry]).stop == .fileMissing)
        #expect(try guest.disk.plan("kvm", skip: [.defaultEntry]).refusal?.code == .defaultCannot)
        let plan = try guest.disk.patch("kvm")
        #expect(plan.defaultVerdict?.title == "Old" && plan.outcome == .bootsWithEdits)
        #expect(guest.text("/boot/grub/grub.cfg").hasPrefix("set default=\"1\"\n"))
    }

    /// GRUB stops at an initramfs that is not there, and at a kernel without a byte.
    @Test func anInitramfsOrAnEmptyKernel() throws {
        let guest = FieldGuest()
        guest.root.remove("/boot/initrd.img-6.1.0-20")
        #expect(try guest.disk.plan("kvm").stop == .fileMissing)
        let empty = FieldGuest(["/boot/vmlinuz-6.1.0-20": ""])
        #expect(try empty.disk.plan("kvm").stop == .fileMissing)
    }

    @Test func loaderEntriesAndExtlinux() throws {
        func entry(_ version: String) -> String {
            "title \(version)\nversion \(version)\nlinux /boot/vmlinuz-\(version)\ninitrd /boot/initrd.img-\(version)\noptions root=UUID=\(fieldRoot)\n"
        }
        let head = "# GRUB Environment Block\nsaved_entry=m-6.1.0-30\n"
        let guest = FieldGuest([
            "/boot/grub/grub.cfg": "set default=\"${saved_entry}\"\nblscfg\n",
            "/boot/grub/grubenv": head + String(repeating: "#", count: 1024 - head.utf8.count),
            "/boot/loader/entries/m-6.1.0-20.conf": entry("6.1.0-20"),
            "/boot/loader/entries/m-6.1.0-30.conf": entry("6.1.0-30"),
        ])
        #expect(try guest.disk.patch("kvm").defaultVerdict?.title == "6.1.0-20")
        #expect(guest.text("/boot/grub/grubenv").contains("saved_entry=m-6.1.0-20\n"))
        var extlinux = FieldGuest([
            "/boot/extlinux/extlinux.conf":
                "default l0\nlabel l0\n kernel ../vmlinuz-9\n append initrd=../initrd.img-9 root=UUID=\(fieldRoot)\nlabel l1\n kernel ../vmlinuz-6.1.0-20\n append initrd=../initrd.img-6.1.0-20 root=UUID=\(fieldRoot)\n"
        ])
        extlinux.root.remove("/boot/grub/grub.cfg")
        extlinux.disk.bootCode = [.other]
        #expect(try extlinux.disk.patch("kvm").defaultVerdict?.title == "l1")
    }

    /// Where a volume that may hold them cannot be read, only what lies beside others is missing.
    @Test func filesOnHiddenVolumes() throws {
        var guest = FieldGuest([
            "/boot/grub/grub.cfg": "set default=0\n"
                + FieldGuest.entry("Other").replacing("/boot/", with: "/kernels/")
                + FieldGuest.entry("Debian")
        ])
        #expect(try guest.disk.plan("kvm", skip: [.defaultEntry]).stop == .fileMissing)
        guest.disk.partition(2, .xfs, uuid: fieldData, readable: false)
        #expect(try guest.disk.plan("kvm").stop == nil)
        guest.root.write("/boot/grub/grub.cfg", "set default=0\n" + two)
        #expect(try guest.disk.plan("kvm").defaultVerdict?.title == "Old")
    }
}
