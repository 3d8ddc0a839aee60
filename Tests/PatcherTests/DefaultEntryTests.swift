import Patcher
import Storage
import Testing

/// Which entry boots by itself, over submenus, other files and conditions.
@Suite struct DefaultEntryTests {
    private let gone = "root=UUID=99999999-1111-4222-8333-444455556666"

    private func title(_ menu: String, _ files: [String: String] = [:]) throws -> String? {
        let guest = FieldGuest(files.merging(["/boot/grub/grub.cfg": menu]) { first, _ in first })
        return try guest.disk.plan("kvm").defaultVerdict?.title
    }

    @Test(arguments: ["1", "Adv", "adv-id", "1>0", "Adv>7"])
    func aSubmenuIsEntered(_ name: String) throws {
        let menu =
            "set default=\"\(name)\"\n" + FieldGuest.entry("A") + "submenu Adv --id adv-id {\n"
            + FieldGuest.entry("A2", gone) + FieldGuest.entry("B2") + "}\n"
        let plan = try FieldGuest(["/boot/grub/grub.cfg": menu]).disk.plan("kvm")
        #expect(plan.defaultVerdict?.title == "Adv>A2" && plan.stop == .rootUnresolved)
    }

    @Test(arguments: [
        "menuentry W { chainloader +1 }", "menuentry R { reboot; }",
        "menuentry M { linux16 /boot/memtest86+.bin }",
    ])
    func whatStartsNoKernelIsNotKnown(_ entry: String) throws {
        let guest = FieldGuest([
            "/boot/memtest86+.bin": "test",
            "/boot/grub/grub.cfg": "set default=0\n\(entry)\n" + FieldGuest.entry("A"),
        ])
        let plan = try guest.disk.plan("kvm")
        #expect(plan.outcome == .notKnown)
        guard case .startsNoKernel? = plan.unknown else {
            Issue.record("\(String(describing: plan.unknown))")
            return
        }
        #expect(text(PlanText.summary(of: plan, guestTitle: "A")).contains("\nboots: not known: "))
    }

    /// Files that a menu reads have their names replaced, and are counted where they are read.
    @Test func includedFiles() throws {
        let menu =
            FieldGuest.entry("A") + "source /boot/grub/extra.cfg\n" + FieldGuest.entry("C")
            + "menuentry More { configfile ($root)/boot/grub/more.cfg }\n"
        let files = [
            "/boot/grub/extra.cfg": FieldGuest.entry("B", "root=/dev/sda1") + "source $prefix/grub.cfg\n",
            "/boot/grub/more.cfg": FieldGuest.entry("D", "root=/dev/sda1"),
        ]
        for (number, title) in ["A", "B", "C", "D"].enumerated() {
            let guest = FieldGuest(
                files.merging(["/boot/grub/grub.cfg": "set default=\(number)\n" + menu]) { first, _ in first }
            )
            #expect(try guest.disk.patch("kvm").defaultVerdict?.title == title)
            for file in files.keys { #expect(!guest.text(file).contains("/dev/sda1"), "\(file)") }
        }
    }

    @Test func conditionsThatNeverHold() throws {
        let other = FieldGuest.entry("Z", gone)
        let own = FieldGuest.entry("A")
        #expect(try title("set default=0\nif false; then\n\(other)fi\n" + own) == "A")
        #expect(
            try title("set default=0\nif [ \"$grub_platform\" = \"efi\" ]; then\n\(other)fi\n" + own) == "A")
        #expect(
            try title("set default=0\nif [ \"$grub_platform\" = \"pc\" ]; then\n\(other)fi\n" + own) == "Z")
    }

    /// grubby gives every entry the identifier of the first: GRUB takes the first that bears a name, and is told another one.
    @Test(arguments: ["saved", "literal", "titles too"])
    func anIdentifierThatSeveralBear(_ kind: String) throws {
        func entry(_ title: String, _ kernel: String) -> String {
            FieldGuest.entry(title, kernel: kernel).replacing(
                "menuentry '\(title)'", with: "menuentry '\(title)' $menuentry_id_option 'id-of-all'")
        }
        let titles = kind == "titles too" ? ["A", "A", "A"] : ["A", "B", "C"]
        let menu =
            "set default=\"\(kind == "saved" ? "${saved_entry}" : "0")\"\n"
            + zip(titles, ["6.1.0-22", "6.1.0-21", "6.1.0-20"]).map(entry).joined()
        let head = "# GRUB Environment Block\nsaved_entry=A\n"
        let guest = FieldGuest([
            "/boot/grub/grub.cfg": menu,
            "/boot/grub/grubenv": head + String(repeating: "#", count: 1024 - head.utf8.count),
        ])
        let plan = try guest.disk.patch("kvm")
        #expect(plan.outcome == .bootsWithEdits && plan.defaultVerdict?.kernel == "/boot/vmlinuz-6.1.0-20")
        let again = try guest.disk.plan("kvm")
        #expect(again.outcome == .boots && again.defaultVerdict?.kernel == "/boot/vmlinuz-6.1.0-20")
        switch kind {
        case "saved": #expect(guest.text("/boot/grub/grubenv").contains("saved_entry=C\n"))
        case "literal": #expect(guest.text("/boot/grub/grub.cfg").hasPrefix("set default=\"C\"\n"))
        default: #expect(guest.text("/boot/grub/grub.cfg").hasPrefix("set default=\"2\"\n"))
        }
        // The padding of the block is nobody's business.
        #expect(!text(PlanText.summary(of: plan, guestTitle: "A")).contains("##"))
    }

    /// Of two menus of one name GRUB enters the first.
    @Test func aMenuOfTheSameName() throws {
        func submenu(_ entry: String) -> String { "submenu Adv {\n\(entry)}\n" }
        let menu =
            "set default=\"Adv>B\"\n" + submenu(FieldGuest.entry("A", gone)) + submenu(FieldGuest.entry("B"))
        #expect(try title(menu) == "Adv>A")
    }

    @Test func theNextStartAlone() throws {
        let head = "# GRUB Environment Block\nsaved_entry=A\nnext_entry=B\n"
        let menu =
            "if [ \"${next_entry}\" ] ; then\nset default=\"${next_entry}\"\nelse\nset default=\"${saved_entry}\"\nfi\n"
            + FieldGuest.entry("A") + FieldGuest.entry("B", gone)
        // GRUB reads a block of any length.
        for size in [1024, head.utf8.count + 7, head.utf8.count] {
            let block = head + String(repeating: "#", count: size - head.utf8.count)
            #expect(try title(menu, ["/boot/grub/grubenv": block]) == "B")
        }
    }

    /// Loader entries stand where the menu reads them, and nowhere when it does not.
    @Test func loaderEntriesHaveTheirPlace() throws {
        let entry =
            "title L\nversion 6.1.0-20\nlinux /boot/vmlinuz-6.1.0-20\ninitrd /boot/initrd.img-6.1.0-20\noptions root=UUID=\(fieldRoot)\n"
        let files = ["/boot/loader/entries/l.conf": entry]
        #expect(try title("set default=0\nblscfg\n" + FieldGuest.entry("G", gone), files) == "L")
        #expect(try title("set default=1\nblscfg\n" + FieldGuest.entry("G", gone), files) == "G")
        #expect(try title("set default=0\n" + FieldGuest.entry("G", gone), files) == "G")
    }

    /// RHEL 7's GRUB on UEFI reads the menu of the EFI system partition, which cannot be read: what lies in /boot is of no use.
    @Test func aStrayMenuBesideTheESP() throws {
        for (spec, outcome) in [("/dev/sda1", nil), ("UUID=\(fieldRoot)", Plan.Outcome.notKnown)] {
            var guest = FieldGuest(
                ["/etc/fstab": "\(spec) / ext4 defaults 0 1\n"], os: "ID=rhel\nVERSION_ID=7.9\nNAME=RHEL\n")
            guest.disk.bootCode = [.none]
            guest.disk.partition(2, .vfat, uuid: "ABCD-1234", type: "EFI System", readable: false)
            let plan = try guest.disk.plan("kvm")
            if let outcome {
                #expect(plan.outcome == outcome && plan.actions.isEmpty)
            } else {
                #expect(plan.refusal?.code == .unreadableMenu)
            }
            // Where the partition can be read, its menu counts.
            guest.root.write("/boot/efi/EFI/redhat/grub.cfg", "set default=0\n" + FieldGuest.entry("E"))
            #expect(try guest.disk.plan("kvm").defaultVerdict?.title == "E")
        }
    }
}
