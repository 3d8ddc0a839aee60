import Patcher
import Storage
import Testing

private let rootUUID = "11111111-1111-4111-8111-111111111111"

/// What can be seen of an initramfs without looking into it.
@Suite struct InitramfsDriverTests {
    private func plan(
        _ files: [String: String], to target: String, controller: Controller? = nil, fallback: Bool = false,
        rescue: String? = nil
    ) throws -> Plan {
        var guest = TestGuest()
        let root = guest.partition(1, .ext4, uuid: rootUUID)
        root.write("/etc/fstab", "UUID=\(rootUUID) / ext4 defaults 1 1\n")
        for (path, contents) in files { root.write(path, contents) }
        if let rescue { root.write("/boot/vmlinuz-0-rescue-ab", kernelImage(rescue)) }
        var request = PlanRequest(target: try #require(Target.named(target)), controller: controller)
        request.drivers = fallback ? .fallback : .auto
        return try Planner.plan(try #require(try guest.survey().guests.first), request)
    }

    /// The head of a bzImage that was built as a release.
    private func kernelImage(_ release: String) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 0x2000)
        bytes.replaceSubrange(0x202..<0x206, with: "HdrS".bytes)
        bytes.replaceSubrange(0x20e..<0x210, with: [0, 0x10])
        let text = "\(release) (builder@host) #1 SMP".bytes
        bytes.replaceSubrange(0x1200..<0x1200 + text.count, with: text)
        return bytes
    }

    private func told(_ plan: Plan) -> String? {
        plan.advice.lazy.map(\.message.plain).first { $0.contains("may lack") }
    }

    private let rhel7 = [
        "/etc/os-release": "ID=centos\nID_LIKE=\"rhel fedora\"\nVERSION_ID=7\n",
        "/lib/modules/3.10.0-693.el7/modules.dep": "",
        "/boot/vmlinuz-3.10.0-693.el7": "kernel", "/boot/initramfs-3.10.0-693.el7.img": "-rom1fs-",
        "/boot/vmlinuz-0-rescue-ab": "kernel", "/boot/initramfs-0-rescue-ab.img": "-rom1fs-",
        "/boot/grub2/grubenv": "# GRUB Environment Block\nsaved_entry=A\n".padding(to: 1024),
        "/boot/grub2/grub.cfg":
            "set default=\"${saved_entry}\"\nmenuentry A { linux16 /boot/vmlinuz-3.10.0-693.el7 root=UUID=\(rootUUID) ; initrd16 /boot/initramfs-3.10.0-693.el7.img }\n"
            + "menuentry R { linux16 /boot/vmlinuz-0-rescue-ab root=UUID=\(rootUUID) ; initrd16 /boot/initramfs-0-rescue-ab.img }\n",
    ]

    @Test func hostOnly() throws {
        let fresh = try plan(rhel7, to: "azure", rescue: "3.10.0-693.el7")
        #expect(told(fresh)?.contains("may lack hv_vmbus and hv_storvsc for storvsc") == true)
        #expect(told(fresh)?.contains("“R” has the drivers of any machine") == true)
        #expect(told(try plan(rhel7, to: "hyperv"))?.contains("hv_storvsc") == true)
        var settings = rhel7
        settings["/usr/lib/dracut/dracut.conf.d/02-generic-image.conf"] = "hostonly=\"no\"\n"
        #expect(told(try plan(settings, to: "azure")) == nil)
        settings = rhel7
        settings["/etc/dracut.conf.d/hv.conf"] = "add_drivers+=\" hv_vmbus hv_storvsc \"\n"
        #expect(told(try plan(settings, to: "azure")) == nil)
        #expect(told(try plan(settings, to: "kvm"))?.contains("virtio_blk") == true)
    }

    @Test func aControllerThatTheKernelHas() throws {
        var files = rhel7
        files["/boot/config-3.10.0-693.el7"] = "CONFIG_SATA_AHCI=y\nCONFIG_BLK_DEV_SD=y\n"
        files["/boot/grub2/grub.cfg"] = rhel7["/boot/grub2/grub.cfg"]?.split(separator: "menuentry R").first
            .map(String.init)
        #expect(told(try plan(files, to: "kvm"))?.contains("the controller ahci") == true)
        #expect(told(try plan(files, to: "kvm", controller: .ahci)) == nil)
    }

    /// The rescue kernel is that of the day of installation.
    @Test func aRescueKernelWithoutModules() throws {
        let stale = try plan(rhel7, to: "azure", fallback: true, rescue: "3.10.0-514.el7")
        #expect(stale.actions.isEmpty)
        #expect(stale.defaultVerdict?.title == "A")
        #expect(stale.refusal?.code == .noFallbackEntry)
        #expect(
            stale.refusal?.sentence.plain.contains("starts kernel 3.10.0-514.el7, whose modules") == true)
        let good = try plan(rhel7, to: "azure", fallback: true, rescue: "3.10.0-693.el7")
        #expect(good.defaultVerdict?.title == "R")
        #expect(told(good) == nil)
        // Nothing is known of a kernel that does not say what it is.
        #expect(try plan(rhel7, to: "azure", fallback: true).defaultVerdict?.title == "R")
    }

    @Test func modprobeNamesTheOldControllerAlone() throws {
        var files = [
            "/etc/redhat-release": "CentOS release 5.8 (Final)\n",
            "/etc/modprobe.conf":
                "alias eth0 e1000\nalias scsi_hostadapter mptbase\nalias scsi_hostadapter1 mptspi\n",
            "/boot/grub/grub.conf":
                "title A\nkernel /vmlinuz-2.6.18-308.el5 root=UUID=\(rootUUID)\ninitrd /initrd-2.6.18-308.el5.img\n",
        ]
        #expect(
            told(try plan(files, to: "kvm"))
                == "the initramfs of “A” may lack virtio_blk for virtio-blk: it was made from modprobe.conf, which names mptbase, mptspi alone; make the initramfs anew with them in the running guest before the move"
        )
        #expect(told(try plan(files, to: "vmware")) == nil)
        #expect(told(try plan(files, to: "hyperv")) == nil)
        files["/etc/modprobe.conf"] = "alias eth0 e1000\n"
        #expect(told(try plan(files, to: "vmware"))?.contains("names no disk driver") == true)
    }

    @Test func listsOfSUSE() throws {
        let files = [
            "/etc/SuSE-release": "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\n",
            "/etc/sysconfig/kernel": "INITRD_MODULES=\"vmw_pvscsi mptspi ext3\"\n",
            "/boot/grub/menu.lst":
                "title A\nkernel /vmlinuz-3.0.101-63 root=UUID=\(rootUUID)\ninitrd /initrd-3.0.101-63\n",
        ]
        #expect(told(try plan(files, to: "kvm"))?.contains("virtio_pci and virtio_blk") == true)
        #expect(told(try plan(files, to: "vmware")) == nil)
    }
}

extension String {
    /// The text with "#" behind it up to a length.
    fileprivate func padding(to length: Int) -> String {
        self + String(repeating: "#", count: length - utf8.count)
    }
}
