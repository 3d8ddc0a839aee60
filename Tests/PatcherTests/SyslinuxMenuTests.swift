import Patcher
import Storage
import Testing

/// Which files syslinux reads, what it boots by itself, and arguments that stand outside of entries.
@Suite struct SyslinuxMenuTests {
    private let kernel = "/boot/vmlinuz-6.1.0-20"
    private let initrd = "/boot/initrd.img-6.1.0-20"
    private let own = "root=UUID=\(fieldRoot) ro"
    private let gone = "root=UUID=99999999-1111-4222-8333-444455556666 ro"
    private let place = "/boot/extlinux/extlinux.conf"

    private func guest(_ files: [String: String]) -> FieldGuest {
        var guest = FieldGuest(files)
        guest.root.remove("/boot/grub/grub.cfg")
        guest.disk.bootCode = [.other]
        return guest
    }

    private func label(_ name: String, _ arguments: String) -> String {
        "LABEL \(name)\n  LINUX \(kernel)\n  INITRD \(initrd)\n  APPEND \(arguments)\n"
    }

    /// What nothing reads is no menu: neither what lies beside one, nor one without the program.
    @Test(arguments: [
        "/boot/extlinux/sub.cfg", "/boot/extlinux/old.conf", "/boot/syslinux/syslinux.cfg",
        "/boot/extlinux.conf",
    ])
    func strayFiles(_ path: String) throws {
        for arguments in [gone, "root=/dev/sdq1"] {
            let guest = guest([
                place: label("a", own), path: label("b", arguments), "/boot/extlinux/ldlinux.sys": "program",
            ])
            let plan = try guest.disk.plan("kvm")
            #expect(plan.outcome == .boots && plan.defaultVerdict?.title == "a", "\(path)")
            let stray = try #require(plan.verdicts.first { $0.title == "b" })
            #expect(stray.notes.map(\.code) == [.menuNotInUse], "\(path)")
        }
        // The other way round the good one is of no use.
        let guest = guest([
            place: label("a", gone), path: label("b", own), "/boot/extlinux/ldlinux.sys": "program",
        ])
        #expect(try guest.disk.plan("kvm").refusal?.code == .defaultCannot)
    }

    @Test func withoutAMenuOfItsNameNothingIsKnown() throws {
        let plan = try guest(["/boot/extlinux/sub.cfg": label("a", own)]).disk.plan("kvm")
        #expect(plan.outcome == .notKnown && plan.unknown == .noMenu)
    }

    /// Two menus without any program beside them may both be read.
    @Test func twoMenus() throws {
        let plan = try guest([place: label("a", own), "/boot/syslinux/syslinux.cfg": label("b", gone)]).disk
            .plan(
                "kvm")
        #expect(plan.outcome == .notKnown)
    }

    /// Entries of files that are read count where they are read.
    @Test(arguments: [
        "INCLUDE linux.cfg", "include /boot/extlinux/linux.cfg", "MENU INCLUDE linux.cfg",
        "UI menu.c32 linux.cfg",
    ])
    func includedFiles(_ line: String) throws {
        let other = label("x", gone) + label("l0", "root=/dev/sda1 ro")
        let guest = guest([
            place: "DEFAULT l0\n\(line)\n" + label("z", gone), "/boot/extlinux/linux.cfg": other,
        ])
        let plan = try guest.disk.patch("kvm")
        #expect(plan.outcome == .bootsWithEdits && plan.defaultVerdict?.title == "l0")
        #expect(guest.text("/boot/extlinux/linux.cfg").hasSuffix("APPEND \(own)\n"))
        // Without a word the first one boots.
        let first = self.guest([place: "\(line)\n" + label("z", own), "/boot/extlinux/linux.cfg": other])
        #expect(try first.disk.plan("kvm").defaultVerdict?.title == "x")
    }

    /// A default in another file than the one that names it gives way there.
    @Test func theDefaultMovesInTheFileThatNamesIt() throws {
        let other = label("a", own).replacing(kernel, with: "/boot/gone") + label("b", own)
        let guest = guest([place: "DEFAULT a\nINCLUDE linux.cfg\n", "/boot/extlinux/linux.cfg": other])
        let plan = try guest.disk.patch("kvm")
        #expect(plan.defaultVerdict?.title == "b" && plan.outcome == .bootsWithEdits)
        #expect(guest.text(place) == "DEFAULT b\nINCLUDE linux.cfg\n")
    }

    /// `DEFAULT` may be a kernel, with its arguments.
    @Test func aKernelAsDefault() throws {
        let menu = "DEFAULT \(kernel) root=/dev/sda1 initrd=\(initrd) ro\n"
        for more in ["", label("other", gone)] {
            let guest = guest([place: menu + more])
            let plan = try guest.disk.patch("kvm")
            #expect(plan.outcome == .bootsWithEdits && plan.defaultVerdict?.title == kernel)
            #expect(guest.text(place) == menu.replacing("/dev/sda1", with: "UUID=\(fieldRoot)") + more)
        }
        #expect(
            try guest([place: "DEFAULT \(kernel) initrd=\(initrd) \(gone)\n"]).disk.plan("kvm").stop
                == .rootUnresolved)
        #expect(try guest([place: "DEFAULT /boot/gone \(own)\n"]).disk.plan("kvm").stop == .fileMissing)
        // Without leave for that, the first entry boots.
        let refused = guest([place: "IMPLICIT 0\nDEFAULT \(kernel) \(gone)\n" + label("a", own)])
        #expect(try refused.disk.plan("kvm").defaultVerdict?.title == "a")
    }

    /// Arguments of all entries, those behind a label in `DEFAULT`, and those behind the kernel.
    @Test func argumentsOutsideOfAnEntry() throws {
        let bare = "LABEL a\n  LINUX \(kernel)\n"
        func plan(_ text: String) throws -> (Plan, String) {
            let guest = guest([place: text])
            return (try guest.disk.patch("kvm"), guest.text(place))
        }
        let all = try plan("APPEND initrd=\(initrd) root=/dev/sda1 ro\n" + bare)
        #expect(all.0.outcome == .bootsWithEdits && all.0.stop == nil)
        #expect(all.1 == "APPEND initrd=\(initrd) \(own)\n" + bare)
        #expect(try plan("APPEND initrd=\(initrd) \(gone)\n" + bare).0.stop == .rootUnresolved)
        #expect(try plan("APPEND \(gone)\n" + label("a", own)).0.outcome == .boots)
        let last = try plan("DEFAULT a root=/dev/sdq1\n" + label("a", own))
        #expect(last.0.stop == .rootUnresolved)
        let behind = try plan("LABEL a\n  KERNEL \(kernel) root=/dev/sda1\n  APPEND initrd=\(initrd) ro\n")
        #expect(behind.0.outcome == .bootsWithEdits && behind.1.contains("KERNEL \(kernel) root=UUID="))
        #expect(behind.0.verdicts.first?.kernel == kernel)
    }
}
