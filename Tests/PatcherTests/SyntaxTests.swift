import Patcher
import Storage
import Testing

@Suite struct SyntaxTests {
    @Test func commandLineWords() {
        let bytes = "ro  root=\"/dev/sda1\" a=\"b c\" \"x=y z\" quiet".bytes
        let line = KernelCommandLine(bytes, in: 0..<bytes.count)
        #expect(line.arguments.map(\.name) == ["ro", "root", "a", "x", "quiet"])
        #expect(
            line.arguments.map { $0.valueRange.map { String(decoding: bytes[$0], as: UTF8.self) } } == [
                nil, "/dev/sda1", "b c", "y z", nil,
            ])
    }

    /// As mount and the kernel take it.
    @Test func theLastOneHolds() {
        let table = Fstab("/dev/sda1 / ext4 defaults 0 1\n/dev/sdb1 / ext4 defaults 0 1\n".bytes)
        #expect(table.root?.spec == "/dev/sdb1")
        let bytes = "root=/dev/sda1 ro root=/dev/sdb1".bytes
        let line = KernelCommandLine(bytes, in: 0..<bytes.count)
        #expect(line.last("root")?.range == 18..<32)
    }

    @Test func grub2Words() {
        let bytes = """
            # linux /no root=/dev/sda9
            set default="1>0"
            menuentry "A # not a comment" --id a { linux /k1 root=/dev/sda1 'x y' \\
              resume="/dev/sda2"; initrd /i1 /i2 }
            submenu 'More' $menuentry_id_option 'more' {
              menuentry 'B' --id=b {
                if [ x = y ]; then
                  linux16 /k2 root=/dev/sda1
                fi
              }
            }
            menuentry C { chainloader +1 }
            menuentry cut { linux /k3 root=/dev/sda3
            """.bytes
        let menu = GRUB2Config(bytes)
        #expect(menu.entries.map(\.title) == ["A # not a comment", "More>B", "C", "cut"])
        #expect(menu.entries.map(\.kernel) == ["/k1", "/k2", nil, "/k3"])
        #expect(menu.entries[0].initrds == ["/i1", "/i2"])
        #expect(
            menu.entries[0].commandLine.last("resume")?.valueRange.map {
                String(decoding: bytes[$0], as: UTF8.self)
            } == "/dev/sda2")
        #expect(menu.entry(named: "1>0")?.title == "More>B")
        #expect(menu.entry(named: "more>b")?.title == "More>B")
        #expect(menu.entry(named: "2")?.title == "C")
        #expect(menu.entry(named: "b")?.title == "More>B")
    }

    @Test func grubLegacyForms() {
        let bytes = """
            default=1
            # kopt=root=/dev/hda1 ro
            ## kopt=root=/dev/hda9
            # kopt_2_6=root=/dev/hda2
            title  One
              kernel --no-mem-option /vmlinuz-2.6.8 root=/dev/hda1
            title Two
              kernel /xen.gz
              module /vmlinuz-2.6.18-xen root=/dev/hda1
              module /initrd
            """.bytes
        let menu = GRUBLegacy(bytes)
        #expect(menu.defaultIndex == 1)
        #expect(menu.kernelOptions.count == 2)
        #expect(menu.entries.map(\.kernel) == ["/vmlinuz-2.6.8", "/vmlinuz-2.6.18-xen"])
        #expect(menu.entries.map(\.isXenMultiboot) == [false, true])
        #expect(menu.entries[1].initrds == ["/initrd"])
    }

    @Test func shellValues() {
        let bytes = "A=1\nexport B=\"x \\\" y\"\nC='multi\nline'\n# D=4\nE=$(f) # g\nF=\"open\n G=2;H=3\n"
            .bytes
        let variables = ShellVariables(bytes)
        #expect(variables.assignments.map(\.name) == ["A", "B", "C", "E", "G"])
        #expect(variables.last("C")?.text == "multi\nline")
        #expect(variables.last("B")?.isOpaque == true)
        #expect(variables.last("G")?.text == "2")
    }

    @Test func grubEnvironmentBlocks() throws {
        var bytes = "# GRUB Environment Block\nsaved_entry=a\nkernelopts=root=/dev/sda1 ro\n".bytes
        // GRUB reads any length.
        #expect(GRUBEnvironment(bytes)?.last("saved_entry")?.text == "a")
        bytes += [UInt8](repeating: UInt8(ascii: "#"), count: 1024 - bytes.count)
        let block = try #require(GRUBEnvironment(bytes))
        #expect(block.last("saved_entry")?.text == "a")
        #expect(block.last("kernelopts")?.text == "root=/dev/sda1 ro")
        bytes[3] = 0
        #expect(GRUBEnvironment(bytes) == nil)
    }

    /// By the files' names, as rpm compares them; the keys say the opposite.
    @Test func loaderEntriesSortByName() {
        let names = [
            "5.14.0-427.13.1.el9_4", "5.14.0-427.el9", "5.14.0-70.el9", "5.9.1", "0-rescue",
        ]
        let entries = names.enumerated().map { place, name in
            LoaderEntry(
                "title \(name)\nversion \(place).0\nlinux /vmlinuz-\(name)\n".bytes, identifier: "ab-\(name)")
        }
        let sorted = entries.reversed().sorted { LoaderEntry.isAhead($0, of: $1) }
        #expect(sorted.map(\.identifier) == names.map { "ab-\($0)" })
    }

    @Test func syslinuxForms() {
        let bytes = """
            default l0
            prompt 0
            label l0
            \tmenu label Debian
            \tlinux /boot/vmlinuz-6.1
            \tappend initrd=/boot/initrd.img-6.1 root=/dev/sda1 ro
            label mem
            \tkernel vesamenu.c32
            """.bytes
        let menu = Syslinux(bytes)
        #expect(menu.entries.map(\.title) == ["Debian", "mem"])
        #expect(menu.entries[0].initrds == ["/boot/initrd.img-6.1"])
        #expect(menu.entries[1].kernel == nil)
        #expect(menu.entries.count == 2 && menu.globalArguments.isEmpty)
    }

    @Test(arguments: [
        ("^/dev/sd[ab][0-9]*$", "/dev/sda2", true), ("^/dev/sd[ab][0-9]*$", "/dev/vda2", false),
        (".*", "", true), ("sd|vd", "/dev/vdb", true), ("^/dev/(sd|hd)[^x]+$", "/dev/hda1", true),
        ("a*b?c+", "xcc", true),
        ("^/dev/disk/by-id/.*-part[0-9]$", "/dev/sda", false), ("x\\.y", "xzy", false),
        ("((a*)*)*$", "aaaaaaaaaaaaaaaaaaaaab", true),
        ("[]a]", "]", true),
    ])
    func regularExpressions(_ pattern: String, _ string: String, _ matches: Bool) throws {
        #expect(try #require(RegularExpression(pattern)).matches(string.bytes) == matches)
    }

    @Test(arguments: ["(", "[a", "*a", "a)", "\\", String(repeating: "(", count: 200)])
    func brokenExpressions(_ pattern: String) { #expect(RegularExpression(pattern) == nil) }

    @Test func fstabFields() {
        let table = Fstab(
            "LABEL=My\\040Disk /mnt/a\\040b auto defaults\n/dev/sda1\n  # /dev/sdb1 / ext3\n/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto\n"
                .bytes)
        #expect(table.rows.map(\.spec) == ["LABEL=My Disk", "/dev/sr0"])
        #expect(table.rows[0].mountPoint == "/mnt/a b")
        #expect(table.rows[1].isRemovableMedium)
    }
}
