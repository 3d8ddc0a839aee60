import GuestTree
import Storage
import Testing

@testable import Patcher

/// A plan that would have to be made twice is none.
@Suite struct SecondChangeTests {
    @Test func aSecondChangeIsRefused() throws {
        let guest = FieldGuest(["/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n"])
        let system = try #require(try guest.disk.survey().guests.first)
        let request = PlanRequest(target: try #require(Target.named("kvm")))
        let facts = try DriverReading.facts(of: system, for: request)
        #expect(try LastingRule.refusal(of: try Planner.draft(system, request, facts), []) == nil)
        // What no step does: another name that will not hold.
        var draft = PlanDraft(system, request, facts)
        let fstab = try #require(system.files(Fstab.self).first?.file)
        draft.edit(fstab, 0..<"/dev/sda1".utf8.count, "/dev/hda1", .names, "for the test")
        #expect(try LastingRule.refusal(of: draft, []) == .wouldChangeAgain(path: "/etc/fstab"))
    }
}

/// systemd-boot's own order, and its patterns.
@Suite struct SystemdBootOrderTests {
    private func defaultTitle(_ entries: [String: String], _ loader: String = "timeout 3\n") throws -> String?
    {
        var disk = TestGuest()
        disk.bootCode = [.none]
        let esp = disk.partition(1, .vfat, uuid: "ABCD-1234", type: "EFI System")
        let root = disk.partition(2, .ext4, uuid: fieldRoot)
        root.write("/etc/os-release", "ID=arch\n")
        root.write(
            "/etc/fstab", "UUID=\(fieldRoot) / ext4 defaults 0 1\nUUID=ABCD-1234 /boot vfat defaults 0 2\n")
        root.makeDirectory("/boot")
        esp.write("/EFI/BOOT/BOOTX64.EFI", "loader")
        esp.write("/loader/loader.conf", loader)
        esp.write("/vmlinuz-linux", "kernel")
        esp.write("/initramfs-linux.img", "-rom1fs-")
        for (name, text) in entries {
            esp.write(
                "/loader/entries/\(name)",
                "title \(name)\n\(text)linux /vmlinuz-linux\ninitrd /initramfs-linux.img\noptions root=UUID=\(fieldRoot)\n"
            )
        }
        return try disk.plan("kvm").defaultVerdict?.title
    }

    @Test func theOrder() throws {
        #expect(try defaultTitle(["a.conf": "version 9\n", "d.conf": "version 1\n"]) == "d.conf")
        #expect(try defaultTitle(["a.conf": "sort-key a\n", "z.conf": "sort-key z\n"]) == "a.conf")
        #expect(try defaultTitle(["a.conf": "sort-key x\n", "z.conf": ""]) == "a.conf")
        #expect(
            try defaultTitle(["a.conf": "sort-key x\nversion 2\n", "z.conf": "sort-key x\nversion 1\n"])
                == "a.conf")
        #expect(try defaultTitle(["a.conf": "", "z+0-3.conf": ""]) == "a.conf")
        #expect(try defaultTitle(["a.conf": "", "z.conf": "architecture aa64\n"]) == "a.conf")
    }

    @Test(arguments: [
        ("a", "a.conf"), ("[ab].conf", "a.conf"), ("?.conf", "z.conf"), ("a*", "a.conf"),
        ("A.CONF", "a.conf"),
    ])
    func patterns(_ pattern: String, _ title: String) throws {
        #expect(try defaultTitle(["a.conf": "", "z.conf": ""], "default \(pattern)\n") == title)
    }

    /// FAT knows no case.
    @Test func namesInCapitals() throws {
        #expect(try defaultTitle(["D.CONF": ""]) == "D.CONF")
    }
}

/// A default, or entries, that hang on tests which only the loader makes.
@Suite struct UncertainDefaultTests {
    private let gone = "root=UUID=99999999-1111-4222-8333-444455556666"

    private func plan(_ head: String, _ first: String? = nil) throws -> Plan {
        let menu = head + (first ?? FieldGuest.entry("A")) + FieldGuest.entry("B", gone)
        return try FieldGuest(["/boot/grub/grub.cfg": menu]).disk.plan("kvm")
    }

    @Test(arguments: [
        "if [ -e /foo ]; then\nset default=1\nelse\nset default=0\nfi\n",
        "set default=0\nif [ -f /foo ]; then\nset default=1\nfi\n",
        "if [ -f /foo ]; then\nset default=1\nfi\n",
    ])
    func aDefaultByATest(_ head: String) throws { #expect(try plan(head).outcome == .notKnown) }

    @Test func whatIsCertain() throws {
        #expect(
            try plan("if [ -f /foo ]; then\nset default=1\nfi\nset default=0\n").defaultVerdict?.title == "A")
        #expect(
            try plan("if [ -f /foo ]; then\nset default=0\nelse\nset default=0\nfi\n").defaultVerdict?.title
                == "A")
        let usual =
            "if [ \"${next_entry}\" ] ; then\nset default=\"${next_entry}\"\nelse\nset default=\"0\"\nfi\n"
        #expect(try plan(usual).defaultVerdict?.title == "A")
    }

    @Test func anEntryByATest() throws {
        let first = "if [ -e /foo ]; then\n\(FieldGuest.entry("A", gone))else\n\(FieldGuest.entry("C"))fi\n"
        #expect(try plan("set default=0\n", first).outcome == .notKnown)
        #expect(try plan("set default=C\n", first).defaultVerdict?.title == "C")
    }
}

/// Arguments in a file that only the loader reads.
@Suite struct HiddenArgumentTests {
    @Test(arguments: [("/dev/sda1", VerdictReason.Code.argumentsUnreadable), ("UUID=\(fieldRoot)", nil)])
    func aVariableOfAnotherFile(_ spec: String, _ stop: VerdictReason.Code?) throws {
        let menu =
            "load_env -f /boot/photon.cfg\nmenuentry A {\n\tlinux /boot/vmlinuz-6.1.0-20 $photon_cmdline ro\n\tinitrd /boot/initrd.img-6.1.0-20\n}\n"
        let guest = FieldGuest(
            ["/boot/grub/grub.cfg": menu, "/etc/fstab": "\(spec) / ext4 defaults 0 1\n"],
            os: "ID=photon\nVERSION_ID=5\n")
        let plan = try guest.disk.plan("kvm")
        #expect(plan.stop == stop)
        if stop == nil { #expect(plan.defaultVerdict?.notes == [.argumentsElsewhere]) }
    }
}

/// What comes of a default of syslinux whose kernel is not there.
@Suite struct SyslinuxDefaultTests {
    private func label(_ name: String, _ kernel: String, _ more: String = "") -> String {
        "LABEL \(name)\n\(more)  LINUX /boot/\(kernel)\n  INITRD /boot/initrd.img-6.1.0-20\n  APPEND root=UUID=\(fieldRoot) ro\n"
    }

    private func guest(_ menu: String) -> FieldGuest {
        let guest = FieldGuest(["/boot/extlinux/extlinux.conf": menu])
        guest.root.remove("/boot/grub/grub.cfg")
        var disk = guest
        disk.disk.bootCode = [.other]
        return disk
    }

    private let good = "vmlinuz-6.1.0-20"
    private let mark = "  MENU DEFAULT\n"

    @Test(arguments: [
        "DEFAULT menu.c32\n", "", "DEFAULT b\n", "ONTIMEOUT b\nDEFAULT vesamenu.c32\n",
        "DEFAULT b\nONTIMEOUT b\n",
    ])
    func theMarkMoves(_ head: String) throws {
        let guest = guest(head + label("a", good) + label("b", "gone", mark))
        let plan = try guest.disk.patch("kvm")
        #expect(plan.outcome == .bootsWithEdits && plan.defaultVerdict?.title == "a")
        #expect(
            guest.text("/boot/extlinux/extlinux.conf")
                == head.replacing(" b\n", with: " a\n") + label("a", good, mark) + label("b", "gone"))
    }

    @Test func withoutAnotherItCannot() throws {
        for head in ["DEFAULT menu.c32\n", "DEFAULT b\n", "ONTIMEOUT b\n"] {
            let plan = try guest(head + label("b", "gone", mark) + label("a", "gone")).disk.plan("kvm")
            #expect(plan.stop == .fileMissing && plan.refusal?.code == .defaultCannot && plan.actions.isEmpty)
        }
    }

    /// A broken entry beside a good default stops nothing.
    @Test func aBrokenEntryThatIsNotTheDefault() throws {
        let plan = try guest("DEFAULT a\n" + label("b", "gone") + label("a", good)).disk.plan("kvm")
        #expect(plan.outcome == .boots && plan.defaultVerdict?.title == "a")
    }

    /// Which of the two boots hangs on the version; it moves to the one that can.
    @Test func twoDefaults() throws {
        let guest = guest("DEFAULT a\n" + label("a", "gone") + label("b", good, mark) + label("c", good))
        let plan = try guest.disk.patch("kvm")
        #expect(plan.outcome == .bootsWithEdits && plan.bootingDefaults.map(\.title) == ["b"])
    }
}

/// Logins and options of a Xen guest that the distribution's tools would bring back.
@Suite struct XenConsoleTests {
    @Test func updateGRUBsSettings() throws {
        let guest = FieldGuest([
            "/boot/grub/menu.lst":
                "default 0\n# kopt=root=/dev/sda1 ro console=hvc0\n# defoptions=quiet console=hvc0\n# altoptions=(recovery mode) single console=hvc0\n## altoptions=(x) console=hvc0\ntitle A\nroot (hd0,0)\nkernel /boot/vmlinuz-6.1.0-20 root=/dev/sda1 ro console=hvc0\ninitrd /boot/initrd.img-6.1.0-20\n"
        ])
        guest.root.remove("/boot/grub/grub.cfg")
        var disk = guest.disk
        disk.bootCode = [.grubLegacy]
        disk.presentation = SourcePresentation(hypervisor: .xenserver)
        try disk.patch("kvm")
        #expect(
            guest.text("/boot/grub/menu.lst")
                == "default 0\n# kopt=root=UUID=\(fieldRoot) ro\n# defoptions=quiet\n# altoptions=(recovery mode) single\n## altoptions=(x) console=hvc0\ntitle A\nroot (hd0,0)\nkernel /boot/vmlinuz-6.1.0-20 root=UUID=\(fieldRoot) ro\ninitrd /boot/initrd.img-6.1.0-20\n"
        )
    }

    @Test(arguments: ["hvc0", "xvc0", "hvsi0"]) func upstart(_ console: String) throws {
        let job =
            "# getty\nstart on stopped rc RUNLEVEL=[2345] and (\n            not-container or\n            container CONTAINER=lxc)\nstop on runlevel [!2345]\nrespawn\nexec /sbin/getty -8 38400 \(console)\n"
        let other = job.replacing(console, with: "tty1")
        var guest = FieldGuest(["/etc/init/console.conf": job, "/etc/init/tty1.conf": other])
        guest.disk.presentation = SourcePresentation(hypervisor: .xenserver)
        try guest.disk.patch("kvm")
        #expect(
            guest.text("/etc/init/console.conf")
                == job.replacing("start on", with: "#start on").replacing(
                    "            not", with: "#            not"
                ).replacing("            container", with: "#            container"))
        #expect(guest.text("/etc/init/tty1.conf") == other)
        #expect(try FieldGuest(["/etc/init/console.conf": job]).disk.plan("xenserver").actions.isEmpty)
    }
}

/// A root on an array of which members were not given.
@Suite struct DegradedArrayTests {
    @Test func aRootOnADegradedArrayIsNotKnown() throws {
        var guest = FieldGuest()
        guest.disk.volumes[0].degradedArrays = ["md0 has 1 of 3 members"]
        let plan = try guest.disk.plan("kvm")
        #expect(plan.outcome == .notKnown && plan.refusal == nil)
        #expect(plan.defaultVerdict?.doubt == .arrayDegraded("md0 has 1 of 3 members"))
        #expect(plan.unknown?.sentence.plain.contains("md0 has 1 of 3 members") == true)
        guest.root.write(
            "/boot/grub/grub.cfg",
            "set default=0\n" + FieldGuest.entry("A", "root=UUID=\(fieldRoot) bootdegraded=true"))
        #expect(try guest.disk.plan("kvm").outcome == .boots)
    }
}

/// A root on an array whose members were each used without the others.
@Suite struct DividedArrayTests {
    @Test func aRootOnADividedArrayIsNotKnown() throws {
        var guest = FieldGuest()
        let words = "2:p1 and the other members of md0 were each used without the other"
        guest.disk.volumes[0].dividedArrays = [words]
        let plan = try guest.disk.plan("kvm")
        #expect(plan.outcome == .notKnown && plan.refusal == nil)
        #expect(plan.defaultVerdict?.doubt == .arrayDivided(words))
        #expect(plan.unknown?.sentence.plain.contains("is chance") == true)
    }
}

/// An entry for repair is not to be forgotten as the default.
@Suite struct RescueDefaultTests {
    @Test func aRescueEntryThatStaysIsSaid() throws {
        let guest = FieldGuest([
            "/boot/grub/grub.cfg": "set default=0\n" + FieldGuest.entry("Debian (recovery mode)")
        ])
        let plan = try guest.disk.plan("kvm")
        #expect(
            plan.advice.contains {
                $0.message.plain.contains("“Debian (recovery mode)”, an entry for repair")
            })
        #expect(try FieldGuest().disk.plan("kvm").advice.allSatisfy { !$0.message.plain.contains("repair") })
    }
}
