import Patcher
import Storage
import Testing

/// What variables of GRUB 2's stand for: followed where files give it, and else not known.
@Suite struct GRUBVariableTests {
    private func menu(_ before: String, _ root: String, within: String = "") -> String {
        "set default=0\n\(before)\nmenuentry A {\n\(within)\n\tlinux /boot/vmlinuz-6.1.0-20 \(root) ro\n\tinitrd /boot/initrd.img-6.1.0-20\n}\n"
    }

    private func block(_ lines: String) -> String {
        let text = "# GRUB Environment Block\n" + lines
        return text + String(repeating: "#", count: 1024 - text.utf8.count)
    }

    private func guest(_ menu: String, _ block: String? = nil) -> FieldGuest {
        var files = ["/boot/grub/grub.cfg": menu]
        files["/boot/grub/grubenv"] = block
        return FieldGuest(files)
    }

    /// The block keeps its size, and the menu is not changed.
    @Test func aVariableOfTheBlock() throws {
        let text = menu("load_env", "root=$rootdev")
        let guest = guest(text, block("rootdev=/dev/sda1\n"))
        let plan = try guest.disk.patch("kvm")
        #expect(plan.outcome == .bootsWithEdits && plan.stop == nil)
        #expect(guest.text("/boot/grub/grub.cfg") == text)
        #expect(
            guest.text("/boot/grub/grubenv").hasPrefix(
                "# GRUB Environment Block\nrootdev=UUID=\(fieldRoot)\n"))
        #expect(guest.text("/boot/grub/grubenv").utf8.count == 1024)
        let absent = self.guest(text, block("rootdev=/dev/sdq1\n"))
        #expect(try absent.disk.plan("kvm").stop == .rootUnresolved)
        // What no menu uses as a device is none.
        let other = self.guest(menu("load_env", "root=UUID=\(fieldRoot)"), block("rootdev=/dev/sda1\n"))
        #expect(try other.disk.plan("kvm").outcome == .boots)
        // Nothing reads the block.
        #expect(
            try self.guest(menu("", "root=$rootdev"), block("rootdev=/dev/sda1\n")).disk.plan("kvm").stop
                == .rootUnresolved)
    }

    @Test(arguments: [
        ("set r=/dev/sda1", "root=$r", ""), ("r=/dev/sda1", "root=${r}", ""),
        ("set d=sda\nset r=/dev/${d}1", "root=$r", ""),
        ("set r=UUID=\(fieldData)", "root=$r", "set r=/dev/sda1"),
        ("set r=UUID=\(fieldData)\nset r=/dev/sda1", "root=$r", ""), ("", "root=/dev/${d}1", "set d=sda"),
        ("if true; then set r=/dev/sda1; fi", "root=$r", ""),
        ("if false; then set r=UUID=\(fieldData); else set r=/dev/sda1; fi", "root=$r", ""),
        ("set args=\"root=/dev/sda1 quiet\"", "$args", ""), ("", "$args", "set args='root=/dev/sda1'"),
    ])
    func whatTheMenuSets(_ before: String, _ root: String, _ within: String) throws {
        let guest = guest(menu(before, root, within: within))
        let plan = try guest.disk.patch("kvm")
        #expect(plan.outcome == .bootsWithEdits && plan.stop == nil)
        #expect(guest.text("/boot/grub/grub.cfg").contains("UUID=\(fieldRoot)"))
        #expect(!guest.text("/boot/grub/grub.cfg").contains("/dev/sda1"))
    }

    /// Two entries use one name each for their own.
    @Test func eachEntryHasItsOwn() throws {
        let text =
            menu("", "root=$r", within: "set r=/dev/sda1")
            + menu("", "root=$r", within: "set r=UUID=\(fieldData)").replacing(
                "menuentry A", with: "menuentry B")
        let plan = try guest(text).disk.patch("kvm")
        #expect(plan.stop == nil && plan.outcome == .bootsWithEdits)
        guard case .cannot(let reason) = plan.verdicts.last?.outcome else {
            Issue.record("B cannot")
            return
        }
        #expect(reason.code == .rootUnresolved)
    }

    @Test(arguments: [
        ("probe --set=u --fs-uuid $root", "root=UUID=$u"), ("probe -u $root -s u", "root=UUID=$u"),
        ("regexp --set=1:d '(.*)' $root", "root=/dev/$d"), ("read d", "root=$d"),
        ("for d in a b; do set r=/dev/sd${d}1; done", "root=$r"), ("search --file --set=d /x", "root=$d"),
        ("if [ -e /x ]; then set r=/dev/sda1; else set r=/dev/sdq1; fi", "root=$r"),
        ("eval \"$x\"", "root=$r"), ("load_env -f /boot/gone", "root=$r"),
        ("function f {\nset r=$1\n}\nset r=/dev/sda1\nf /dev/sdq1", "root=$r"),
    ])
    func whatOnlyGRUBShowsIsNotKnown(_ before: String, _ root: String) throws {
        let plan = try guest(menu(before, root)).disk.plan("kvm")
        #expect(plan.refusal == nil && plan.outcome == .notKnown)
        #expect(plan.defaultVerdict?.doubt?.code == .rootNotTold)
    }

    /// Before its own menu a GRUB may show another, or boot.
    @Test(arguments: [
        "configfile /boot/grub/other.cfg", "if [ -e /x ]; then\nconfigfile /x\nfi",
        "linux /boot/vmlinuz-6.1.0-20 root=/dev/sdq1\nboot",
    ])
    func aMenuThatMayBeLeft(_ before: String) throws {
        let plan = try guest(menu(before, "root=UUID=\(fieldRoot)")).disk.plan("kvm")
        #expect(plan.refusal == nil && plan.outcome == .notKnown)
        let function = try guest(menu("function f {\n\(before)\n}", "root=UUID=\(fieldRoot)")).disk.plan(
            "kvm")
        #expect(function.outcome == .boots)
    }

    /// A file that is part of the menu sets the default after it.
    @Test func aDefaultThatAnotherFileSets() throws {
        let text =
            menu("", "root=UUID=\(fieldRoot)") + "if [ -f ${config_directory}/custom.cfg ]; then\n"
            + "  source ${config_directory}/custom.cfg\nfi\n"
        func plan(_ custom: String) throws -> Plan {
            try FieldGuest(["/boot/grub/grub.cfg": text, "/boot/grub/custom.cfg": custom]).disk.plan("kvm")
        }
        let entry =
            "menuentry C {\nlinux /boot/vmlinuz-6.1.0-20 root=/dev/sdq1\ninitrd /boot/initrd.img-6.1.0-20\n}\n"
        #expect(try plan("set default=1\n" + entry).outcome == .notKnown)
        #expect(try plan("set timeout=3\n").outcome == .boots)
    }

    @Test func whatNothingSetsIsNoRoot() throws {
        #expect(try guest(menu("", "root=$r")).disk.plan("kvm").stop == .rootUnresolved)
        #expect(try guest(menu("set r=", "root=$r")).disk.plan("kvm").stop == .rootUnresolved)
    }

    /// Photon's menu: the kernel, its initramfs and its arguments lie in a file of variables.
    @Test func aFileThatTheMenuLoads() throws {
        let text =
            "set default=0\nset rootpartition=/dev/sda1\nload_env -f /boot/photon.cfg\nif [ -f /boot/systemd.cfg ]; then\n  load_env -f /boot/systemd.cfg\nelse\n  set systemd_cmdline=net.ifnames=0\nfi\nmenuentry \"Photon\" {\n  linux /boot/$photon_linux root=$rootpartition $photon_cmdline $systemd_cmdline\n  if [ -f /boot/$photon_initrd ]; then\n    initrd /boot/$photon_initrd\n  fi\n}\n"
        let variables =
            "# GRUB Environment Block\nphoton_cmdline=init=/lib/systemd/systemd ro quiet resume=/dev/sda2\nphoton_linux=vmlinuz-6.1.0-20\nphoton_initrd=initrd.img-6.1.0-20\n"
        var guest = FieldGuest([
            "/boot/grub/grub.cfg": text, "/boot/photon-6.1.cfg": variables,
            "/boot/systemd.cfg": "# GRUB Environment Block\nsystemd_cmdline=net.ifnames=0\n",
            "/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n",
        ])
        guest.disk.partition(2, .swap, uuid: fieldData)
        guest.root.link("/boot/photon.cfg", to: "photon-6.1.cfg")
        let plan = try guest.disk.patch("kvm")
        #expect(plan.outcome == .bootsWithEdits)
        #expect(plan.defaultVerdict?.kernel == "/boot/vmlinuz-6.1.0-20")
        #expect(
            guest.text("/boot/photon-6.1.cfg") == variables.replacing("/dev/sda2", with: "UUID=\(fieldData)"))
        #expect(guest.text("/boot/grub/grub.cfg").contains("set rootpartition=UUID=\(fieldRoot)\n"))
    }

    @Test func theRootInAFileThatTheMenuLoads() throws {
        let text = menu("load_env --file=/boot/mine.cfg arguments", "$arguments")
        let variables = "# GRUB Environment Block\narguments=root=/dev/sda1 quiet\nother=/dev/sda1\n"
        let guest = FieldGuest(["/boot/grub/grub.cfg": text, "/boot/mine.cfg": variables])
        let plan = try guest.disk.patch("kvm")
        #expect(plan.outcome == .bootsWithEdits)
        #expect(
            guest.text("/boot/mine.cfg")
                == "# GRUB Environment Block\narguments=root=UUID=\(fieldRoot) quiet\nother=/dev/sda1\n")
        // The kernel that the file names is not there.
        let gone = FieldGuest([
            "/boot/grub/grub.cfg": text.replacing("vmlinuz-6.1.0-20", with: "$kernel").replacing(
                " arguments\n", with: "\n"),
            "/boot/mine.cfg": variables + "kernel=vmlinuz-7\n",
        ])
        #expect(try gone.disk.plan("kvm").stop == .fileMissing)
        guest.root.write("/boot/mine.cfg", variables.replacing("/dev/sda1 quiet", with: "/dev/sdq1"))
        #expect(try guest.disk.plan("kvm").stop == .rootUnresolved)
    }

    /// A text that doubles itself ends, and says nothing.
    @Test func textsThatGrowForEver() throws {
        let lines = "set r=/dev/sda1\n" + String(repeating: "set r=$r$r\n", count: 3000)
        let plan = try guest(menu(lines, "root=$r")).disk.plan("kvm")
        #expect(plan.stop != nil || plan.defaultVerdict?.doubt != nil)
    }
}
