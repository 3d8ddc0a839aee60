import GuestTree
import Patcher
import Storage
import Testing

private let rootUUID = "11111111-1111-4111-8111-111111111111"
private let swapUUID = "22222222-2222-4222-8222-222222222222"

/// One disk: root on partition 1, swap on 2, with these files.
private func guest(_ files: [String: String], os: String = "ID=debian\nVERSION_ID=12\n") -> (
    TestGuest, MemoryFileSystem
) {
    var guest = TestGuest()
    let root = guest.partition(1, .ext4, uuid: rootUUID)
    guest.partition(2, .swap, uuid: swapUUID)
    root.write("/etc/os-release", os)
    root.write("/etc/fstab", "UUID=\(rootUUID) / ext4 defaults 0 1\n")
    for (path, contents) in files { root.write(path, contents) }
    return (guest, root)
}

private func environmentBlock(_ lines: String) -> String {
    let head = "# GRUB Environment Block\n" + lines
    return head + String(repeating: "#", count: 1024 - head.utf8.count)
}

@Suite struct RepairTests {
    @Test func absentDisksGetNofail() throws {
        let (disk, root) = guest([
            "/etc/fstab":
                "/dev/sda1 / ext4 defaults 0 1\n/dev/sdb1\t/data\text4\tdefaults\t0 2\n/dev/sdc1 /c ext4 noatime,nofail 0 0\n"
                + "/dev/sdd1 /d ext4 noauto 0 0\nUUID=\(swapUUID) none swap sw 0 0\nnas:/x /n nfs defaults 0 0\n"
        ])
        let plan = try disk.patch("kvm")
        #expect(
            text(root.files["/etc/fstab"])
                == "UUID=\(rootUUID) / ext4 defaults 0 1\n/dev/sdb1\t/data\text4\tdefaults,nofail\t0 2\n"
                + "/dev/sdc1 /c ext4 noatime,nofail 0 0\n/dev/sdd1 /d ext4 noauto 0 0\nUUID=\(swapUUID) none swap sw 0 0\n"
                + "nas:/x /n nfs defaults 0 0\n")
        #expect(plan.unresolved.map(\.text) == ["/dev/sdb1", "/dev/sdc1", "/dev/sdd1"])
        #expect(plan.unresolved.map(\.line) == [2, 3, 4])
    }

    /// The volume is there; only what lies on it is not what the row says. That is for people to decide.
    @Test func aVolumeOfAnotherKindIsNotAbsent() throws {
        let fstab = "/dev/sda1 / ext4 defaults 0 1\nUUID=\(swapUUID) /data ext4 defaults 0 2\n"
        let (disk, root) = guest(["/etc/fstab": fstab])
        let plan = try disk.patch("kvm")
        #expect(
            text(root.files["/etc/fstab"])
                == fstab.replacing("/dev/sda1 ", with: "UUID=\(rootUUID) "))
        #expect(
            plan.unresolved.map(\.unresolved) == [.rowSays(types: ["ext4"], volume: "p2", kind: .swap)])
    }

    /// (row, whether the boot stops without its disk)
    @Test(arguments: [
        ("/dev/sdb1 /data ext4 # comment", true), ("LABEL=no /data ext4 a \"b c\" 0", true),
        ("/dev/sdb1 /data ext4 nofail comment 0", false), ("/dev/sdb1 /data ext4 noauto x 0", false),
    ])
    func aRowThatCannotBeChangedMayStopTheBoot(_ row: String, _ stops: Bool) throws {
        let (disk, _) = guest(["/etc/fstab": "UUID=\(rootUUID) / ext4 defaults 0 1\n\(row)\n"])
        let refusal = try disk.plan("kvm").refusal
        guard case .rowStopsBoot(mountPoint: "/data", _, _) = refusal else {
            #expect(!stops && refusal == nil)
            return
        }
        #expect(stops)
    }

    @Test func oldSystemsDoNotKnowNofail() throws {
        let (disk, root) = guest(
            ["/etc/fstab": "/dev/sda1 / ext3 defaults 1 1\n/dev/sdb1 /data ext3 defaults 1 2\n"], os: "")
        root.remove("/etc/os-release")
        root.write("/etc/redhat-release", "CentOS release 5.6 (Final)\n")
        try disk.patch("kvm")
        #expect(text(root.files["/etc/fstab"]).hasSuffix("\n/dev/sdb1 /data ext3 defaults 1 0\n"))
    }

    @Test func rhel8KernelOptionsLiveInTheEnvironmentBlock() throws {
        let (disk, root) = guest(
            [
                "/boot/grub2/grubenv": environmentBlock(
                    "saved_entry=ab-4.18\nkernelopts=root=/dev/sda1 ro resume=/dev/sda2\n"),
                "/boot/loader/entries/ab-4.18.conf":
                    "title RHEL\nversion 4.18\nlinux /vmlinuz-4.18\ninitrd /i $tuned_initrd\noptions $kernelopts $tuned_params\n",
                "/boot/grub2/grub.cfg":
                    "if [ x = y ]; then\n  set kernelopts=\"root=/dev/sda1 ro\"\nfi\ninsmod blscfg\nblscfg\n",
            ], os: "ID=rhel\nVERSION_ID=8.6\n")
        let plan = try disk.patch("kvm")
        let block = try #require(root.files["/boot/grub2/grubenv"])
        #expect(block.count == 1024)
        #expect(text(block).contains("kernelopts=root=UUID=\(rootUUID) ro resume=UUID=\(swapUUID)\n###"))
        #expect(
            text(root.files["/boot/grub2/grub.cfg"]).contains("set kernelopts=\"root=UUID=\(rootUUID) ro\"\n")
        )
        #expect(plan.verdicts.count == 1)
        #expect(plan.defaultVerdict?.title == "RHEL")
    }

    @Test func aFullEnvironmentBlockIsLeftAlone() throws {
        let filler = String(repeating: "x", count: 950)
        let (disk, _) = guest([
            "/boot/grub2/grubenv": environmentBlock("f=\(filler)\nkernelopts=root=/dev/sda1 ro\n")
        ])
        let plan = try disk.patch("kvm")
        #expect(plan.actions.isEmpty)
        #expect(plan.advice.contains { $0.message.plain.contains("environment block is full") })
    }

    private let xenMenu = """
        set default="0"
        menuentry 'Debian, with Xen' --id xen {
        \tmultiboot /boot/xen-4.17.gz
        \tmodule /boot/vmlinuz-6.1.0-18-amd64 placeholder root=/dev/sda1 ro
        \tmodule --nounzip /boot/initrd.img-6.1.0-18-amd64
        }
        submenu 'Advanced' --id adv {
        menuentry 'Debian 6.1.0-18' --id new {
        \tlinux /boot/vmlinuz-6.1.0-18-amd64 root=/dev/sda1 ro console=hvc0
        \tinitrd /boot/initrd.img-6.1.0-18-amd64
        }
        menuentry 'Debian 6.1.0-18 (recovery mode)' --id rec {
        \tlinux /boot/vmlinuz-6.1.0-18-amd64 root=/dev/sda1 ro single
        \tinitrd /boot/initrd.img-6.1.0-18-amd64
        }
        }

        """

    @Test func theDefaultLeavesXen() throws {
        let (disk, root) = guest([
            "/boot/grub/grub.cfg": xenMenu,
            "/etc/default/grub": "GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX=\"console=hvc0 quiet\"\n",
        ])
        let plan = try disk.patch("kvm")
        let menu = text(root.files["/boot/grub/grub.cfg"])
        #expect(menu.hasPrefix("set default=\"adv>new\"\n"))
        #expect(menu.contains("placeholder root=UUID=\(rootUUID) ro\n"))
        #expect(menu.contains("root=UUID=\(rootUUID) ro\n\tinitrd"))
        #expect(
            text(root.files["/etc/default/grub"])
                == "GRUB_DEFAULT=\"adv>new\"\nGRUB_CMDLINE_LINUX=\" quiet\"\n".replacing(
                    "\" quiet", with: "\"quiet"))
        #expect(plan.defaultVerdict?.title == "Advanced>Debian 6.1.0-18")
        #expect(plan.refusal == nil)
    }

    @Test func skippingTheDefaultIsARefusal() throws {
        let (disk, _) = guest(["/boot/grub/grub.cfg": xenMenu])
        let plan = try disk.plan("kvm", skip: [.defaultEntry])
        #expect(plan.actions.isEmpty)
        #expect(plan.refusal?.sentence.plain.contains("Xen") == true)
    }

    @Test func savedDefaults() throws {
        let (disk, root) = guest([
            "/boot/grub/grub.cfg": xenMenu.replacing(
                "set default=\"0\"", with: "set default=\"${saved_entry}\""),
            "/boot/grub/grubenv": environmentBlock("saved_entry=xen\n"),
        ])
        try disk.patch("vmware")
        #expect(text(root.files["/boot/grub/grubenv"]).contains("\nsaved_entry=adv>new\n"))
        #expect(root.files["/boot/grub/grubenv"]?.count == 1024)
    }

    @Test func hypervisorsOptions() throws {
        let menu =
            "title A\nkernel /vmlinuz-2.6.32 root=/dev/sda1 hda=noprobe ide0=noprobe acpi=off quiet\ninitrd /i\n"
        let (disk, root) = guest(["/boot/grub/menu.lst": menu])
        try disk.patch("kvm")
        #expect(text(root.files["/boot/grub/menu.lst"]).contains("root=UUID=\(rootUUID) acpi=off quiet\n"))
        let (other, otherRoot) = guest(["/boot/grub/menu.lst": menu])
        try other.patch("hyperv")
        #expect(text(otherRoot.files["/boot/grub/menu.lst"]).contains("hda=noprobe ide0=noprobe quiet\n"))
    }

    @Test func neighboursAreTakenOutTogether() throws {
        let (disk, root) = guest([
            "/etc/default/grub":
                "GRUB_CMDLINE_LINUX=\"hda=noprobe hdb=noprobe ide0=noprobe\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"console=hvc0 quiet hda=noprobe\"\n"
        ])
        try disk.patch("vmware")
        #expect(
            text(root.files["/etc/default/grub"])
                == "GRUB_CMDLINE_LINUX=\"\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n")
    }

    @Test func liloIsReportedAndLeftAlone() throws {
        let (disk, root) = guest([
            "/etc/lilo.conf": "boot=/dev/hda\nroot=/dev/hda1\nimage=/vmlinuz\n\tlabel=Linux\n",
            "/etc/fstab": "/dev/hda1 / ext3 defaults 0 1\n",
        ])
        let plan = try disk.patch("kvm")
        #expect(plan.references.map(\.text) == ["/dev/hda1", "/dev/hda1", "/dev/hda"])
        #expect(plan.actions.isEmpty)
        #expect(text(root.files["/etc/lilo.conf"]).contains("root=/dev/hda1"))
        #expect(plan.defaultVerdict?.summary.plain.contains("LILO") == true)
        #expect(plan.refusal == .defaultCannot(title: "Linux", .liloMap, on: .kvm))
    }

    @Test func virtioConsolesStay() throws {
        let menu =
            "menuentry A { linux /vmlinuz-6.1.0 root=/dev/vda1 console=hvc0 earlyprintk=xen ; initrd /i }\n"
        for (source, kept) in [(Hypervisor.kvm, true), (nil, true), (.xenserver, false)] {
            var (disk, root) = guest(["/boot/grub/grub.cfg": menu])
            disk.presentation = SourcePresentation(hypervisor: source, map: source == nil ? [:] : ["vda": 0])
            try disk.patch("kvm")
            let line = text(root.files["/boot/grub/grub.cfg"])
            #expect(line.contains("console=hvc0") == kept)
            #expect(!line.contains("earlyprintk"))
        }
    }

    @Test func anEmulatedDiskCanBeAskedFor() throws {
        let menu = "menuentry A { linux /vmlinuz-6.1.0-1 root=/dev/sda1 ro quiet ; initrd /i }\n"
        for (target, option) in [
            ("hyperv", "ata_piix.prefer_ms_hyperv=0"), ("xenserver", "xen_emul_unplug=never"),
        ] {
            let (disk, root) = guest(["/boot/grub/grub.cfg": menu])
            try disk.patch(target, controller: .ide)
            #expect(text(root.files["/boot/grub/grub.cfg"]).contains("ro quiet \(option) ;"))
        }
    }

    /// The next menu is made of other files than this one, and the next kernel's entry too.
    @Test(arguments: [
        (
            ["/etc/default/grub": "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"\"\n"],
            "/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"ARG\"\n"
        ),
        (["/etc/default/grub": "GRUB_CMDLINE_LINUX=a"], "/etc/default/grub", "GRUB_CMDLINE_LINUX=\"a ARG\""),
        (
            ["/etc/default/grub": "GRUB_CMDLINE_LINUX='a b'\nGRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX c\"\n"],
            "/etc/default/grub",
            "GRUB_CMDLINE_LINUX='a b'\nGRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX c ARG\"\n"
        ),
        (
            ["/etc/default/grub": "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n"], "/etc/default/grub",
            "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet ARG\"\n"
        ),
        (
            ["/etc/default/grub": "GRUB_TIMEOUT=1"], "/etc/default/grub",
            "GRUB_TIMEOUT=1\nGRUB_CMDLINE_LINUX=\"ARG\"\n"
        ),
        (
            ["/etc/default/grub": "GRUB_CMDLINE_LINUX=\"\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"ARG\"\n"],
            "/etc/default/grub", "GRUB_CMDLINE_LINUX=\"\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"ARG\"\n"
        ),
        (
            [
                "/etc/default/grub": "GRUB_CMDLINE_LINUX=\"\"\n",
                "/etc/default/grub.d/50-cloud.cfg": "GRUB_CMDLINE_LINUX=\"console=ttyS0\"\n",
            ], "/etc/default/grub.d/50-cloud.cfg", "GRUB_CMDLINE_LINUX=\"console=ttyS0 ARG\"\n"
        ),
        (["/etc/kernel/cmdline": "root=/dev/sda1 ro\n"], "/etc/kernel/cmdline", "root=UUID=ROOT ro ARG\n"),
        (
            ["/etc/sysconfig/bootloader": "DEFAULT_APPEND=\"splash\"\nFAILSAFE_APPEND=\"x\"\n"],
            "/etc/sysconfig/bootloader", "DEFAULT_APPEND=\"splash ARG\"\nFAILSAFE_APPEND=\"x\"\n"
        ),
        (
            ["/etc/default/extlinux": "EXTLINUX_PARAMETERS=\"ro quiet\"\n"], "/etc/default/extlinux",
            "EXTLINUX_PARAMETERS=\"ro quiet ARG\"\n"
        ),
        (
            ["/etc/update-extlinux.conf": "default_kernel_opts=quiet\n"], "/etc/update-extlinux.conf",
            "default_kernel_opts=\"quiet ARG\"\n"
        ),
        (
            ["/boot/grub/grubenv": environmentBlock("kernelopts=root=/dev/sda1 ro\n")], "/boot/grub/grubenv",
            environmentBlock("kernelopts=root=UUID=ROOT ro ARG\n")
        ),
    ])
    func argumentsThatStay(_ files: [String: String], _ path: String, _ expected: String) throws {
        for (target, option) in [
            ("hyperv", "ata_piix.prefer_ms_hyperv=0"), ("xenserver", "xen_emul_unplug=never"),
        ] {
            func filled(_ text: String) -> String {
                let long = text.replacing("ARG", with: option).replacing("ROOT", with: rootUUID)
                return long.hasPrefix("# GRUB Env") && long.utf8.count > 1024
                    ? String(long.prefix(1024)) : long
            }
            let menu = "menuentry A { linux /vmlinuz-6.1.0-1 root=/dev/sda1 ro quiet ; initrd /i }\n"
            let (disk, root) = guest(files.mapValues(filled).merging(["/boot/grub/grub.cfg": menu]) { $1 })
            try disk.patch(target, controller: .ide)
            #expect(text(root.files[path]) == filled(expected))
            // Where it is not needed it is not put.
            let (other, same) = guest(files.merging(["/boot/grub/grub.cfg": menu]) { $1 })
            try other.patch("kvm")
            #expect(!text(same.files[path]).contains(option))
        }
    }

    /// update-grub's own settings of GRUB legacy; what only Xen's kernels or the usual entries get stays.
    @Test func anArgumentThatStaysInGRUBLegacy() throws {
        let head =
            "# kopt=root=/dev/sda1 ro\n# kopt_2_6=root=/dev/sda1 ro\n# xenkopt=root=/dev/sda1 ro\n# defoptions=quiet\n"
        let (disk, root) = guest([
            "/boot/grub/menu.lst": head + "title A\nkernel /vmlinuz-4.9.0-1 root=/dev/sda1 ro\ninitrd /i\n"
        ])
        try disk.patch("hyperv", controller: .ide)
        let menu = text(root.files["/boot/grub/menu.lst"])
        let line = "root=UUID=\(rootUUID) ro ata_piix.prefer_ms_hyperv=0\n"
        #expect(menu.hasPrefix("# kopt=\(line)# kopt_2_6=\(line)# xenkopt=root="))
        #expect(menu.contains("# defoptions=quiet\n") && menu.split(separator: "prefer_ms").count == 4)
    }

    /// A full block keeps the names that must change in it.
    @Test func aBlockWithoutRoomForTheArgument() throws {
        let filler = String(repeating: "x", count: 880)
        let (disk, root) = guest([
            "/boot/grub/grub.cfg":
                "menuentry A { linux /vmlinuz-6.1.0-1 root=/dev/sda1 ro ; initrd /i }\n",
            "/boot/grub/grubenv": environmentBlock("kernelopts=root=/dev/sda1 \(filler)\n"),
        ])
        let plan = try disk.patch("hyperv", controller: .ide)
        let block = text(root.files["/boot/grub/grubenv"])
        #expect(block.contains("root=UUID=\(rootUUID)") && !block.contains("prefer_ms"))
        #expect(
            plan.advice.contains { $0.message.plain.contains("has no room for ata_piix.prefer_ms_hyperv=0") })
    }

    @Test func namesOfOtherFamiliesAreNotChanged() throws {
        let (disk, _) = guest([
            "/boot/grub/menu.lst": "title A\nkernel /vmlinuz-2.6.32 root=/dev/hda1\ninitrd /i\n",
            "/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n",
        ])
        let plan = try disk.plan("kvm")
        #expect(plan.actions.isEmpty)
        #expect(plan.refusal?.sentence.plain.contains("root=/dev/hda1") == true)
    }

    @Test func aLabelIsWrittenWhereNothingElseFits() throws {
        let filler = String(repeating: "x", count: 225)
        let (disk, _) = guest([
            "/boot/grub/menu.lst": "title A\nkernel /vmlinuz-2.6.18-8 root=/dev/sda1 \(filler)\ninitrd /i\n"
        ])
        let plan = try disk.plan("kvm")
        #expect(plan.actions.map(\.kind).contains(.setLabel(volume: 0, label: "dgp1".bytes)))
        let menu = text(plan.actions.compactMap(\.edit).first?.contents)
        #expect(menu.contains("root=LABEL=dgp1 \(filler)"))
    }

    @Test func theFallbackInitramfsBecomesTheDefault() throws {
        let (disk, root) = guest([
            "/boot/grub2/grub.cfg": """
            set default="${saved_entry}"
            menuentry 'CentOS' { linux16 /vmlinuz-3.10.0 root=/dev/sda1 ; initrd16 /initramfs-3.10.0.img }
            menuentry 'Rescue' { linux16 /vmlinuz-0-rescue-ab root=/dev/sda1 ; initrd16 /initramfs-0-rescue-ab.img }

            """, "/boot/grub2/grubenv": environmentBlock("saved_entry=CentOS\n"),
        ])
        let survey = try disk.survey()
        let target = try #require(Target.named("kvm"))
        var request = PlanRequest(target: target)
        request.drivers = .fallback
        let plan = try Planner.plan(try #require(survey.guests.first), request)
        try disk.apply(plan)
        #expect(text(root.files["/boot/grub2/grubenv"]).contains("saved_entry=1\n"))
        #expect(plan.defaultVerdict?.title == "Rescue")
        #expect(try Planner.plan(try #require(try disk.survey().guests.first), request).actions.isEmpty)
    }

    @Test func toolsAreDisabledOnRequest() throws {
        let (disk, _) = guest([
            "/etc/rc.d/rc3.d/S03vmware-tools": "",
            "/etc/systemd/system/multi-user.target.wants/vmtoolsd.service": "",
            "/etc/rc.d/rc3.d/K20vmware-tools": "", "/usr/bin/vmtoolsd": "",
        ])
        #expect(try disk.plan("kvm").actions.isEmpty)
        #expect(try disk.plan("kvm").advice.contains { $0.message.plain.contains("open-vm-tools") })
        let actions = try disk.plan("kvm", fix: [.tools]).actions.map(\.kind)
        let tree = try #require(try disk.survey().guests.first).tree
        var renamed: [String] = []
        for case .rename(let place, let name) in actions {
            let path = place.path.displayText
            let directory = String(path.dropLast(place.name.count + 1))
            #expect(path == "\(directory)/\(text(place.name))")
            #expect(try tree.find(GuestPath(directory))?.key == place.directory)
            renamed.append("\(path) → \(text(name))")
        }
        #expect(
            renamed == [
                "/etc/rc.d/rc3.d/S03vmware-tools → disabled-S03vmware-tools",
                "/etc/systemd/system/multi-user.target.wants/vmtoolsd.service → vmtoolsd.service.disabled",
            ])
        #expect(try disk.plan("vmware", fix: [.tools]).actions.isEmpty)
    }

    @Test func menusWrittenByHand() throws {
        let (disk, root) = guest([
            "/etc/grub.d/40_custom":
                "#!/bin/sh\nexec tail -n +3 $0\n# it's a comment\nmenuentry 'Mine' {\n linux /k root=/dev/sda1\n initrd /i\n}\n",
            "/boot/grub/custom.cfg": "menuentry x { linux /k-6.1 root=/dev/sda1; initrd /i }\n",
        ])
        let plan = try disk.patch("kvm")
        #expect(text(root.files["/etc/grub.d/40_custom"]).contains("linux /k root=UUID=\(rootUUID)\n"))
        #expect(text(root.files["/boot/grub/custom.cfg"]).contains("root=UUID=\(rootUUID);"))
        #expect(plan.verdicts.isEmpty)
    }

    @Test func grubLegacySavesItsDefault() throws {
        let (disk, root) = guest([
            "/boot/grub/menu.lst":
                "default saved\ntitle A\nkernel /vmlinuz-2.6.26-xen root=/dev/sda1\ninitrd /i\ntitle B\nkernel /vmlinuz-2.6.26 root=/dev/sda1\ninitrd /i\n",
            "/boot/grub/default": "1\n#\n#\n",
        ])
        #expect(try disk.plan("kvm").defaultVerdict?.title == "B")
        root.write("/boot/grub/default", "0\n#\n#\n")
        try disk.patch("kvm")
        #expect(text(root.files["/boot/grub/menu.lst"]).hasPrefix("default 1\ntitle A\n"))
    }

    @Test func policiesOfTheNextInitramfsAreReported() throws {
        let (disk, _) = guest([
            "/etc/initramfs-tools/conf.d/driver-policy": "# x\nMODULES=dep\n",
            "/etc/dracut.conf.d/a.conf": "add_device+=\" /dev/sda1 \"\n",
        ])
        let messages = try disk.plan("kvm").advice.map(\.message.plain)
        #expect(messages.contains { $0.contains("MODULES=dep") })
        #expect(messages.contains { $0.contains("/dev/sda1") })
    }

    /// (filter, target, pattern that is put in front)
    @Test(arguments: [
        ("[ \"a|^/dev/sda|\", \"r|.*|\" ]", "kvm", "/dev/vd"),
        ("[ \"a|^/dev/sda|\", \"r|.*|\" ]", "vmware", nil),
        ("[ \"r|^/dev/sdb|\", \"a|.*|\" ]", "vmware", nil),
        ("[\n  \"r|/dev/vd.*|\", # no\n  \"a/.*/\"\n]", "kvm", "/dev/vd"),
        ("[ \"a|loop|\", \"r|.*|\" ]", "hyperv", "/dev/sd"), ("\"a|.*|\"", "kvm", nil),
    ])
    func filters(_ filter: String, _ target: String, _ accepted: String?) throws {
        var (disk, root) = guest([
            "/etc/lvm/lvm.conf": "devices {\n  # filter = [ \"r|.*|\" ]\n  filter = \(filter)\n}\n"
        ])
        disk.partition(3, .lvm2)
        try disk.patch(target)
        let expected = accepted.map { filter.replacingFirst("\"", with: "\"a|^\($0)|\", \"") } ?? filter
        #expect(
            text(root.files["/etc/lvm/lvm.conf"])
                == "devices {\n  # filter = [ \"r|.*|\" ]\n  filter = \(expected)\n}\n")
    }

    /// Both files count, and the second has the last word.
    @Test func filtersOfTheLocalConfiguration() throws {
        var (disk, root) = guest([
            "/etc/lvm/lvmlocal.conf": "devices { \n global_filter = [ \"a|^/dev/sd.*|\", \"r|.*|\" ] }\n"
        ])
        disk.partition(3, .lvm2)
        try disk.patch("kvm")
        #expect(
            text(root.files["/etc/lvm/lvmlocal.conf"])
                == "devices { \n global_filter = [ \"a|^/dev/vd|\", \"a|^/dev/sd.*|\", \"r|.*|\" ] }\n")
    }

    /// (how the filter is written, what is left out)
    @Test(arguments: [
        (#""r|^/dev/[^s]|""#, Set<Repair>()), (#"[ "a|^/dev/sd|", "r|.*|" ]"#, Set<Repair>([.lvm])),
    ])
    func aFilterThatStaysHidesTheRoot(_ filter: String, _ skipped: Set<Repair>) throws {
        var guest = TestGuest()
        guest.partition(1, .lvm2)
        let root = guest.logicalVolume("vg0", "root", .ext4, uuid: rootUUID)
        root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
        root.write("/etc/fstab", "/dev/mapper/vg0-root / ext4 defaults 0 1\n")
        root.write("/etc/lvm/lvm.conf", "devices {\n filter = \(filter)\n}\n")
        root.write(
            "/boot/grub/grub.cfg",
            "menuentry 'A' {\nlinux /boot/vmlinuz-6.1 root=/dev/mapper/vg0-root ro\ninitrd /boot/initrd.img-6.1\n}\n"
        )
        root.write("/boot/vmlinuz-6.1", "kernel")
        root.write("/boot/initrd.img-6.1", "-rom1fs-")
        let plan = try guest.plan("kvm", skip: skipped)
        guard case .defaultCannot(_, .hiddenByFilter("filter", let path, let devices), _) = plan.refusal
        else {
            Issue.record("\(String(describing: plan.refusal))")
            return
        }
        #expect(path == "/etc/lvm/lvm.conf" && devices == ["/dev/vda1"])
        #expect(try guest.plan("vmware", skip: skipped).refusal == nil)
    }

    @Test func theNextMenuNamesNoDevices() throws {
        let (disk, root) = guest(["/etc/default/grub": "GRUB_DISABLE_UUID=true\n"])
        try disk.patch("kvm")
        #expect(text(root.files["/etc/default/grub"]) == "GRUB_DISABLE_UUID=false\n")
    }

    @Test func onlyAndSkip() throws {
        let (disk, _) = guest([
            "/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n/dev/sdb1 /b ext4 defaults 0 2\n"
        ])
        #expect(try disk.plan("vmware", only: [.deadRows]).actions.flatMap(\.repairs) == [.deadRows])
        #expect(try disk.plan("kvm", skip: [.deadRows]).actions.flatMap(\.repairs) == [.names])
    }

    @Test func crypttabAndResume() throws {
        var (disk, root) = guest([
            "/etc/crypttab": "# /dev/sda3 no\nhome\t/dev/sda3\tnone\tluks\n",
            "/etc/initramfs-tools/conf.d/resume": "RESUME=/dev/sda2",
            "/etc/uswsusp.conf": "# c\nresume device = /dev/sda2\ncompress = y\n",
            "/boot/grub/grub.cfg":
                "menuentry 'A' {\nlinux /boot/vmlinuz-6.1 root=UUID=\(rootUUID) ro\ninitrd /boot/initrd.img-6.1\n}\n",
        ])
        disk.partition(3, .luks, uuid: "33333333-3333-4333-8333-333333333333")
        try disk.patch("kvm")
        #expect(
            text(root.files["/etc/crypttab"])
                == "# /dev/sda3 no\nhome\tUUID=33333333-3333-4333-8333-333333333333\tnone\tluks\n")
        #expect(text(root.files["/etc/initramfs-tools/conf.d/resume"]) == "RESUME=UUID=\(swapUUID)")
    }
}

@Suite struct RefusalTests {
    @Test func hibernatedSwap() throws {
        var (disk, _) = guest([:])
        disk.partition(3, .swap, hibernated: true)
        let plan = try disk.plan("kvm")
        #expect(plan.refusal?.sentence.plain.contains("suspended") == true)
    }

    @Test func anUnreadableBoot() throws {
        var (disk, _) = guest([
            "/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n/dev/sda3 /boot xfs defaults 0 0\n"
        ])
        disk.partition(3, .xfs, uuid: swapUUID, readable: false)
        let plan = try disk.plan("kvm")
        #expect(plan.actions.isEmpty)
        #expect(plan.refusal?.sentence.plain.contains("/boot lies on p3 (xfs)") == true)
    }

    @Test func aMenuOnAnUnreadableESP() throws {
        var (disk, _) = guest([
            "/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\nUUID=AB12-CD34 /boot/efi vfat defaults 0 0\n"
        ])
        disk.partition(3, .vfat, uuid: "AB12-CD34", type: "EFI System", readable: false)
        let plan = try disk.plan("kvm")
        #expect(plan.actions.isEmpty)
        #expect(plan.refusal?.sentence.plain.contains("/boot/efi") == true)
    }

    @Test func aBootThatCannotBeTold() throws {
        let (disk, _) = guest([
            "/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n/dev/hda1 /boot ext3 defaults 0 0\n"
        ])
        let plan = try disk.plan("kvm")
        #expect(plan.actions.isEmpty)
        #expect(plan.refusal?.sentence.plain.contains("/boot is /dev/hda1") == true)
    }

    @Test func paravirtualKernelsStartOnXenServerAlone() throws {
        let (disk, _) = guest([
            "/boot/grub/menu.lst": "title A\nkernel /vmlinuz-2.6.26-xen root=/dev/xvda1\ninitrd /i\n",
            "/etc/fstab": "/dev/xvda1 / ext3 defaults 0 1\n",
        ])
        #expect(try disk.plan("xenserver").refusal == nil)
        // Emulated disks come with emulated firmware.
        #expect(
            try disk.plan("xenserver", controller: .ide).defaultVerdict?.outcome
                == .cannot(.xenOnlyKernel(on: .xenserver)))
        #expect(try disk.plan("aws").refusal?.sentence.plain.contains("Xen") == true)
    }

    /// RHEL 5 that was moved off XenServer and comes back: the kernel that was built for Xen is the default again.
    @Test func theDefaultReturnsToXen() throws {
        let menu = """
            default=1
            title Xen
            kernel /vmlinuz-2.6.18-164.el5xen root=/dev/xvda1 ro
            initrd /i
            title Bare
            kernel /vmlinuz-2.6.18-164.el5 root=/dev/xvda1 ro
            initrd /i

            """
        let files = [
            "/boot/grub/menu.lst": menu, "/etc/fstab": "/dev/xvda1 / ext3 defaults 0 1\n",
            "/etc/sysconfig/kernel": "UPDATEDEFAULT=yes\nDEFAULTKERNEL=kernel\n",
        ]
        let (disk, root) = guest(files)
        let plan = try disk.patch("xenserver")
        #expect(text(root.files["/boot/grub/menu.lst"]).hasPrefix("default=0\n"))
        #expect(text(root.files["/etc/sysconfig/kernel"]).hasSuffix("DEFAULTKERNEL=kernel-xen\n"))
        #expect(plan.defaultVerdict?.kernel == "/vmlinuz-2.6.18-164.el5xen")
        #expect(try disk.plan("xenserver").actions.isEmpty)
        // Away again gives the same bytes.
        try disk.patch("hyperv")
        #expect(text(root.files["/boot/grub/menu.lst"]).hasPrefix("default=1\n"))
        #expect(text(root.files["/etc/sysconfig/kernel"]).hasSuffix("DEFAULTKERNEL=kernel\n"))

        // Emulated disks: the bare kernel is right, and the Xen one could not start.
        let (emulated, _) = guest(files)
        let kept = try emulated.plan("xenserver", controller: .ide)
        #expect(kept.defaultVerdict?.kernel == "/vmlinuz-2.6.18-164.el5")
        let other = kept.verdicts.first { !$0.isDefault }
        #expect(other?.summary.plain.contains("emulated disks") == true)

        // A kernel that knows Xen's disks stays.
        let (modern, modernRoot) = guest(
            files.merging(
                ["/boot/config-2.6.18-164.el5": "CONFIG_XEN_PV_ON_HVM=m\nCONFIG_IDE=y\n"],
                uniquingKeysWith: { $1 }))
        try modern.patch("xenserver")
        #expect(text(modernRoot.files["/boot/grub/menu.lst"]).hasPrefix("default=1\n"))
    }

    @Test func anUnresolvedRootInTheEnvironmentBlock() throws {
        let (disk, _) = guest([
            "/boot/grub2/grubenv": environmentBlock("kernelopts=root=/dev/sdc1 ro\n"),
            "/boot/loader/entries/a.conf": "title R\nlinux /vmlinuz-4.18\ninitrd /i\noptions $kernelopts\n",
        ])
        #expect(try disk.plan("kvm").refusal?.sentence.plain.contains("root=/dev/sdc1") == true)
    }

    @Test func generation2NeedsUEFI() throws {
        let (disk, _) = guest(["/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n"])
        let plan = try disk.plan("hyperv-gen2")
        #expect(plan.actions.isEmpty)
        #expect(plan.refusal?.sentence.plain.contains("UEFI") == true)
    }

    @Test func controllersThatTheTargetLacks() throws {
        let (disk, _) = guest(["/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n"])
        #expect(
            try disk.plan("hyperv", controller: .pvscsi).refusal?.sentence.plain.contains("pvscsi") == true)
    }

    @Test func anUnknownLoader() throws {
        let (disk, _) = guest([
            "/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n", "/boot/vmlinuz-6.1": "x", "/boot/odd.conf": "x",
        ])
        let plan = try disk.plan("kvm")
        #expect(plan.actions.isEmpty)
        #expect(plan.refusal?.sentence.plain.contains("loader") == true)
    }

    @Test func aKernelWithoutInitramfsAndAUUID() throws {
        let (disk, _) = guest([
            "/boot/grub/menu.lst": "title A\nkernel /vmlinuz-2.6.32 root=UUID=\(rootUUID)\n"
        ])
        #expect(try disk.plan("kvm").refusal?.sentence.plain.contains("needs an initramfs") == true)
    }

    @Test func noGuest() throws {
        var disk = TestGuest()
        disk.partition(1, .ntfs)
        disk.partition(2, .xfs, readable: false)
        let survey = try disk.survey()
        #expect(survey.guests.isEmpty)
        #expect(survey.hasWindows)
        #expect(survey.findings.count == 2)
    }

    @Test func severalGuests() throws {
        var (disk, _) = guest([:])
        let other = disk.partition(3, .ext3, uuid: "33333333-3333-4333-8333-333333333333")
        other.write("/etc/redhat-release", "CentOS release 5.6 (Final)\n")
        let survey = try disk.survey()
        #expect(survey.guests.map(\.rootVolume) == [0, 2])
        #expect(survey.guests.map(\.title).last == "CentOS release 5.6 (Final)")
    }

    @Test func linksInCirclesEndTheWalk() throws {
        let (disk, root) = guest([:])
        root.link("/boot/grub/grub.cfg", to: "menu.lst")
        root.link("/boot/grub/menu.lst", to: "grub.cfg")
        root.link("/etc/default/grub", to: "/../../etc/default/../fstab")
        #expect(try disk.survey().guests.first?.files.map(\.path) == ["/etc/fstab"])
    }
}

extension String {
    fileprivate func replacingFirst(_ word: Character, with new: String) -> String {
        guard let place = firstIndex(of: word) else { return self }
        return self[..<place] + new + self[index(after: place)...]
    }
}
