import Patcher
import Storage
import Testing

private let rootUUID = "11111111-1111-4111-8111-111111111111"

/// Entries of GRUB 2 that load one kernel or another.
@Suite struct BranchTests {
    private func kernels(_ body: String) -> [String] {
        GRUB2Config("menuentry A {\n\(body)\n}\n".bytes).entries.map {
            "\($0.kernel ?? "-") \($0.initrds.joined(separator: ","))"
        }
    }

    @Test func eachKernelHasItsInitrd() {
        #expect(
            kernels("if [ $p = efi ]; then\nlinuxefi /k1 a\ninitrdefi /i1\nelse\nlinux /k2\ninitrd /i2\nfi")
                == ["/k1 /i1", "/k2 /i2"])
        // Behind the branches an initrd is everybody's.
        #expect(
            kernels(
                "if [ $p = efi ]; then linuxefi /k1; elif [ x ]; then linux16 /k2; else linux /k3; fi\ninitrd /i"
            )
                == ["/k1 /i", "/k2 /i", "/k3 /i"])
        // Asked twice, a condition gives one answer.
        #expect(
            kernels(
                "if [ a ]; then linuxefi /k1; else linux /k2; fi\nif [ a ]; then initrdefi /i1; else initrd /i2; fi"
            )
                == ["/k1 /i1", "/k2 /i2"])
        #expect(
            kernels("if [ a ]; then linux /k1; fi\nif [ b ]; then linux /k2; initrd /i2; fi\ninitrd /i")
                == ["/k1 /i2,/i", "/k2 /i2,/i"])
    }

    @Test func aLaterKernelTakesThePlaceOfAnEarlierOne() {
        #expect(kernels("linux /k1\ninitrd /i1\nlinux /k2\ninitrd /i2") == ["/k1 /i1", "/k2 /i2"])
        #expect(kernels("if [ a ]; then linux /k1; fi\nlinux /k2\ninitrd /i2") == ["/k1 ", "/k2 /i2"])
    }

    @Test func commandsPutTogetherFromVariables() {
        #expect(kernels("$linux /k1 a\n${initrd} /i1") == ["/k1 /i1"])
        #expect(kernels("linux$suffix /k1 a\ninitrd$suffix /i1") == ["/k1 /i1"])
        #expect(kernels("gfxmode $linux_gfx_mode\nchainloader +1") == ["- "])
    }

    @Test func xenInBranches() {
        let menu = GRUB2Config(
            "menuentry X {\nif [ a ]; then multiboot2 /x.gz; module2 /k root=/dev/sda1; module2 /i\nelse multiboot /y.gz; module /k2; module /i2; fi\n}"
                .bytes)
        #expect(menu.entries.map(\.kernel) == ["/k", "/k2"])
        #expect(menu.entries.map(\.initrds) == [["/i"], ["/i2"]])
        #expect(menu.entries.map(\.isXenMultiboot) == [true, true])
    }

    /// What nests deeper, or loads more, than any real menu is not read on.
    @Test func hostileMenus() {
        let deep = String(repeating: "if a\n", count: 5000) + "menuentry A { linux /k }"
        #expect(GRUB2Config(deep.bytes).entries.isEmpty)
        let many =
            "menuentry A {\n" + String(repeating: "linux /k\n", count: 5000) + "}\nmenuentry B { linux /l }"
        #expect(GRUB2Config(many.bytes).entries.count == 256)
        #expect(GRUB2Config("fi\nfi\nelse\nthen\nmenuentry A { fi; linux /k }".bytes).entries.count == 1)
    }

    /// The machine takes the branch that starts.
    @Test func aBranchForXenDoesNotMoveTheDefault() throws {
        var guest = TestGuest()
        let root = guest.partition(1, .ext4, uuid: rootUUID)
        root.write("/etc/fstab", "UUID=\(rootUUID) / ext4 defaults 1 1\n")
        root.write(
            "/boot/grub2/grub.cfg",
            "set default=0\nmenuentry A {\nif [ $p = xen ]; then\nlinux /vmlinuz-4.4.1-xen root=UUID=\(rootUUID)\ninitrd /i\nelse\nlinux /vmlinuz-4.4.1 root=UUID=\(rootUUID)\ninitrd /i\nfi\n}\nmenuentry B { linux /vmlinuz-4.3.1 root=UUID=\(rootUUID) ; initrd /i }\n"
        )
        let plan = try guest.plan("kvm")
        #expect(plan.actions.isEmpty)
        #expect(plan.refusal == nil)
        #expect(plan.verdicts.map(\.isDefault) == [true, true, false])
    }

    @Test func bothAreEditedAndJudged() throws {
        var guest = TestGuest()
        let root = guest.partition(1, .ext4, uuid: rootUUID, partUUID: "5eed0001-01")
        root.write("/etc/os-release", "ID=opensuse-leap\nID_LIKE=suse\nVERSION_ID=42.3\n")
        root.write("/etc/fstab", "/dev/sda1 / ext4 defaults 1 1\n")
        root.write(
            "/boot/grub2/grub.cfg",
            "set default=a\nmenuentry A --id a {\nif [ x = efi ]; then\nlinuxefi /vmlinuz-4.4.1-1 root=/dev/sda1\ninitrdefi /i\nelse\nlinux /vmlinuz-4.4.1-1 root=/dev/sda1 quiet\nfi\n}\n"
        )
        let plan = try guest.patch("kvm")
        #expect(
            text(root.files["/boot/grub2/grub.cfg"])
                == "set default=a\nmenuentry A --id a {\nif [ x = efi ]; then\nlinuxefi /vmlinuz-4.4.1-1 root=UUID=\(rootUUID)\ninitrdefi /i\nelse\nlinux /vmlinuz-4.4.1-1 root=PARTUUID=5eed0001-01 quiet\nfi\n}\n"
        )
        #expect(plan.verdicts.map(\.title) == ["A", "A"])
        #expect(plan.verdicts.map(\.isDefault) == [true, true])
        let lines = try #require(try guest.survey().guests.first).description
        #expect(lines.count { $0.hasPrefix("default entry: A") } == 1)
    }
}
