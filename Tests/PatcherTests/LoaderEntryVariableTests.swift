import Patcher
import Storage
import Testing

/// Variables in the options of loader entries that GRUB 2 reads: each is followed to where it is set.
@Suite struct LoaderEntryVariableTests {
    private func block(_ lines: String) -> String {
        let text = "# GRUB Environment Block\n" + lines
        return text + String(repeating: "#", count: 1024 - text.utf8.count)
    }

    private func guest(_ options: String, _ menu: String = "load_env\nblscfg\n", _ block: String? = nil)
        -> FieldGuest
    {
        var files = [
            "/boot/grub2/grub.cfg": "set default=0\n" + menu,
            "/boot/loader/entries/l.conf":
                "title L\nversion 6.1.0-20\nlinux /boot/vmlinuz-6.1.0-20\ninitrd /boot/initrd.img-6.1.0-20 $tuned_initrd\noptions \(options)\n",
        ]
        files["/boot/grub2/grubenv"] = block.map { self.block($0) }
        let guest = FieldGuest(
            files, os: "ID=\"rhel\"\nVERSION_ID=\"8.9\"\nNAME=\"Red Hat Enterprise Linux\"\n")
        guest.root.remove("/boot/grub/grub.cfg")
        return guest
    }

    private static let fallback =
        "load_env\nif [ -z \"${kernelopts}\" ]; then\nset kernelopts=\"root=/dev/sda1 ro\"\nfi\nblscfg\n"

    /// What the entry, the menu and the block say of the root and of swap.
    @Test(arguments: [
        (
            "root=/dev/sda1 ro $tuned_params", "load_env\nblscfg\n",
            "tuned_params=skew_tick=1 root=/dev/sda1\n"
        ),
        ("$rootopts quiet", "load_env\nblscfg\n", "rootopts=root=/dev/sda1 ro\n"),
        ("${rootopts}", "load_env\nblscfg\n", "rootopts=root=/dev/sda1 ro\n"),
        ("root=$dev ro", "load_env\nblscfg\n", "dev=/dev/sda1\n"),
        ("root=$dev ro", "set dev=/dev/sda1\nblscfg\n", ""),
        ("root=/dev/${disk}1 ro", "set disk=sda\nblscfg\n", ""),
        ("$custom ro", "set custom=\"root=/dev/sda1 quiet\"\nblscfg\n", "custom=unused\n"),
        ("$kernelopts $tuned_params", fallback, "kernelopts=root=/dev/sda1 ro\ntuned_params=skew_tick=1\n"),
        ("$kernelopts", fallback, "saved_entry=l\n"),
        ("$kernelopts", "set kernelopts=\"root=$dev ro\"\nset dev=/dev/sda1\nblscfg\n", ""),
    ])
    func everyPlaceIsEdited(_ options: String, _ menu: String, _ lines: String) throws {
        let guest = guest(options, menu, lines)
        let plan = try guest.disk.patch("kvm")
        #expect(plan.outcome == .bootsWithEdits && plan.stop == nil && plan.unknown == nil)
        let paths = ["/boot/grub2/grub.cfg", "/boot/grub2/grubenv", "/boot/loader/entries/l.conf"]
        let texts = paths.map(guest.text)
        #expect(texts.contains { $0.contains("UUID=\(fieldRoot)") })
        #expect(!texts.contains { $0.contains("/dev/sd") || $0.contains("/dev/${disk}") })
        #expect(texts[1].utf8.count == 1024)
    }

    /// The last `root=` wins, be it a variable's; a root that is not there stops the entry.
    @Test func theLastRootWins() throws {
        let options = "root=UUID=\(fieldRoot) ro $tuned_params"
        #expect(
            try guest(options, "load_env\nblscfg\n", "tuned_params=skew_tick=1\n").disk.plan("kvm").outcome
                == .boots)
        #expect(
            try guest(options, "load_env\nblscfg\n", "tuned_params=root=/dev/sdq1\n").disk.plan("kvm").stop
                == .rootUnresolved)
        // Nothing takes the block over.
        #expect(
            try guest(options, "blscfg\n", "tuned_params=root=/dev/sdq1\n").disk.plan("kvm").outcome == .boots
        )
        // A fallback that is not taken.
        let menu =
            "load_env\nif [ -z \"$kernelopts\" ]; then\nset kernelopts=\"root=/dev/sdq1\"\nfi\nblscfg\n"
        let set = "kernelopts=root=UUID=\(fieldRoot) ro\n"
        #expect(try guest("$kernelopts", menu, set).disk.plan("kvm").outcome == .boots)
        #expect(try guest("$kernelopts", menu, "saved_entry=l\n").disk.plan("kvm").stop == .rootUnresolved)
    }

    /// What only the running GRUB shows.
    @Test(arguments: [
        ("$custom", "load_env -f /boot/none.env\nblscfg\n"),
        ("root=UUID=$u", "probe --set=u --fs-uuid $root\nblscfg\n"),
    ])
    func whatOnlyGRUBShows(_ options: String, _ menu: String) throws {
        let plan = try guest(options, menu, "").disk.plan("kvm")
        #expect(plan.stop == nil && !plan.verdicts.flatMap(\.notes).isEmpty)
    }

    /// Tests of variables, as GRUB makes them.
    @Test(arguments: [
        ("[ -z \"$a\" ]", "a=\n", true), ("[ -z \"$a\" ]", "a=1\n", false), ("[ -n \"$a\" ]", "a=1\n", true),
        ("[ \"$a\" ]", "a=1\n", true), ("[ \"$a\" = \"1\" ]", "a=1\n", true),
        ("[ x$a != x1 ]", "a=1\n", false),
        ("test -z \"$a\"", "", true),
    ])
    func tests(_ condition: String, _ lines: String, _ isTrue: Bool) throws {
        let menu =
            "load_env\nset opts=\"root=UUID=\(fieldRoot)\"\nif \(condition); then set opts=\"root=/dev/sdq1\"; fi\nblscfg\n"
        #expect(try guest("$opts", menu, lines).disk.plan("kvm").stop == (isTrue ? .rootUnresolved : nil))
    }
}
