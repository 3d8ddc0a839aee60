import GuestTree
import Initramfs
import Patcher
import Storage
import TestSupport
import Testing

/// What makes each generator's initramfs load what is added, and what the next one is made by.
@Suite struct OverlayHookTests {
    private static let release = DriverGuest.release
    private static let held = ["ext4", "scsi_mod", "sd_mod"]
    private static let image = "/boot/initrd.img-\(release)"

    /// A guest moved behind AHCI: what Linux unpacks then.
    private struct Moved {
        var guest: DriverGuest
        var plan: Plan
        var overlay: [UInt8]
        var contents: InitramfsContents

        func text(_ path: String) -> String {
            String(decoding: contents.bytes(of: path) ?? [], as: UTF8.self)
        }
    }

    /// `commands` make the image, with its modules in `$modules`.
    private func moved(
        _ commands: String, modules: String = "lib/modules/\(release)/kernel", pack: String? = "gzip",
        prepare: (DriverGuest) -> Void = { _ in }
    ) throws -> Moved {
        let guest = try DriverGuest(holding: nil)
        let held = Self.held.map { ": >\(modules)/\($0).ko\n" }.joined()
        let image = try guest.archive("mkdir -p \(modules)\n\(held)\n\(commands)", pack: pack)
        guest.root.write(Self.image, image)
        prepare(guest)
        let plan = try guest.plan("kvm", controller: .ahci)
        #expect(plan.verdicts.map(\.drivers) == [.added(["libata", "ahci"])])
        var overlay: [UInt8] = []
        for case .create(let place, let contents, _) in plan.actions.map(\.kind)
        where place.path.displayText.contains("diskgraft-drivers") {
            overlay = contents
        }
        try guest.guest.apply(plan)
        #expect(try guest.plan("kvm", controller: .ahci).actions.map(\.reason) == [])
        let padding = [UInt8](repeating: 0, count: (4 - image.count % 4) % 4)
        let contents = try InitramfsImage(ByteSource(image + padding + overlay)).contents { _, _ in true }
        #expect(contents.failure == nil)
        return Moved(guest: guest, plan: plan, overlay: overlay, contents: contents)
    }

    /// Runs a script of the image with programs that only tell what they are asked for.
    private func loaded(by script: String, _ moved: Moved, hasModprobe: Bool = true) throws -> [String] {
        let directory = try TemporaryDirectory()
        for (name, status) in [("modprobe", hasModprobe ? 0 : 1), ("insmod", 0)] {
            let path = try directory.write(
                "bin/\(name)",
                "#!/bin/sh\necho \(name) ${MODPROBE_OPTIONS-} \"$@\" >>\(directory.root)/log\nexit \(status)\n"
            )
            try Tool.run("chmod", ["755", path])
        }
        let path = try directory.write("script", moved.text(script))
        try Tool.run(
            "sh",
            [
                // As initramfs-tools' init has it: with it modprobe would heed blacklists.
                "-euc",
                "PATH=\(directory.root)/bin:$PATH; export MODPROBE_OPTIONS=-qb; . \(path); echo done >>\(directory.root)/log",
            ])
        return text(try fileBytes("\(directory.root)/log")).split(separator: "\n").map(String.init)
    }

    private func expectLoading(by script: String, _ moved: Moved) throws {
        #expect(
            try loaded(by: script, moved) == ["modprobe -d /diskgraft -q -i -a scsi_mod libata ahci", "done"])
        let base = "insmod -qb /diskgraft/lib/modules/\(Self.release)/kernel/drivers"
        let one = try loaded(by: script, moved, hasModprobe: false)
        #expect(one.dropFirst() == ["\(base)/scsi_mod.ko", "\(base)/libata.ko", "\(base)/ahci.ko", "done"])
    }

    @Test func initramfsTools() throws {
        let marks =
            "mkdir -p conf/conf.d scripts/init-top; : >scripts/functions; : >init; echo MODULES=dep >conf/initramfs.conf"
        let moved = try moved(marks) { $0.root.makeDirectory("/etc/initramfs-tools") }
        try expectLoading(by: "conf/conf.d/zz-diskgraft", moved)
        let list = text(moved.guest.root.files["/etc/initramfs-tools/modules"])
        #expect(list.split(separator: "\n") == ["libata", "ahci", "sd_mod", "ext4"])
    }

    /// What the user's list names already, in either spelling, is not named twice.
    @Test func initramfsToolsWithAListOfItsOwn() throws {
        let marks = "mkdir -p conf/conf.d scripts/init-top; : >scripts/functions; : >init"
        let moved = try moved(marks) {
            $0.root.write("/etc/initramfs-tools/modules", "# mine\nsd-mod\nahci option=1")
        }
        let list = text(moved.guest.root.files["/etc/initramfs-tools/modules"])
        #expect(list == "# mine\nsd-mod\nahci option=1\nlibata\next4\n")
    }

    @Test(arguments: ["usr/lib/dracut", "lib/dracut"]) func dracut(_ place: String) throws {
        let moved = try moved("mkdir -p \(place)/hooks/pre-udev; echo 059 >\(place)/dracut-059; : >init") {
            $0.root.makeDirectory("/etc/dracut.conf.d")
        }
        try expectLoading(by: "\(place)/hooks/pre-udev/99-diskgraft.sh", moved)
        #expect(
            text(moved.guest.root.files["/etc/dracut.conf.d/90-diskgraft.conf"]).hasSuffix(
                "\nadd_drivers+=\" libata ahci sd_mod ext4 \"\n"))
    }

    /// RHEL 6 has its hooks in the root.
    @Test func dracutOfOld() throws {
        let moved = try moved("mkdir cmdline pre-udev pre-trigger initqueue; : >init")
        try expectLoading(by: "pre-udev/99-diskgraft.sh", moved)
    }

    @Test func nash() throws {
        let script = """
            #!/bin/nash
            mount -t proc /proc /proc
            echo Loading scsi_mod.ko module
            insmod /lib/scsi_mod.ko
            insmod /lib/sd_mod.ko
            echo Waiting for driver initialization.
            stabilized --hash --interval 250 /proc/scsi/scsi
            mkblkdevs
            echo Creating root device.
            mkrootdev -t ext3 -o defaults,ro LABEL=/
            mount /sysroot
            """
        let moved = try moved("cat >init <<'EOF'\n\(script)\nEOF\n", modules: "lib")
        let lines = moved.text("init").split(separator: "\n").map(String.init)
        let base = "insmod /diskgraft/lib/modules/\(Self.release)/kernel/drivers"
        // In order, each once, before disks are waited for.
        let added = lines.filter { $0.contains("/diskgraft/") }
        #expect(added == ["\(base)/libata.ko", "\(base)/ahci.ko"])
        let place = try #require(lines.firstIndex(of: added[0]))
        #expect(place > (lines.firstIndex(of: "insmod /lib/sd_mod.ko") ?? .max))
        #expect(place < (lines.firstIndex { $0.hasPrefix("stabilized") } ?? 0))
        #expect(lines.filter { !added.contains($0) } == script.split(separator: "\n").map(String.init))
    }

    /// SLES 11's: settings stand in the script itself, and a block may have a condition.
    @Test(arguments: [true, false]) func suse(_ hasUdev: Bool) throws {
        let udev = "[ \"$udev_timeout\" ] || udev_timeout='30'\nsource boot/04-udev.sh\n"
        let script = """
            [ "$debug" ] && echo running 01-devfunctions.sh
            source boot/01-devfunctions.sh
            [ "$RESOLVED_INITRD_MODULES" ] || RESOLVED_INITRD_MODULES='ext4'
            modules=" $RESOLVED_INITRD_MODULES"
            source boot/02-start.sh
            [ "$modules" ] && load_modules
            source boot/03-storage.sh
            \(hasUdev ? udev : "")[ "$block_modules" ] || block_modules='sd_mod'
            if [  "$block_modules" ]; then
            modules=" $block_modules"
            source boot/11-block.sh
            [ "$modules" ] && load_modules
            fi
            source boot/83-mount.sh
            source boot/93-boot.sh
            """
        let moved = try moved("mkdir config boot; : >init; cat >run_all.sh <<'EOF'\n\(script)\nEOF\n") {
            $0.root.write("/etc/sysconfig/kernel", "INITRD_MODULES=\"sd_mod\"\n")
        }
        let lines = moved.text("run_all.sh").split(separator: "\n").map(String.init)
        let place = try #require(lines.firstIndex { $0.contains("modprobe -d /diskgraft") })
        #expect(place > (lines.firstIndex(of: "source boot/02-start.sh") ?? .max))
        let next = hasUdev ? "source boot/04-udev.sh" : "if [  \"$block_modules\" ]; then"
        #expect(
            lines.first {
                !$0.isEmpty && lines.firstIndex(of: $0) ?? 0 > (lines.firstIndex(of: "true") ?? 0) + 1
            } == next)
        try Tool.run("sh", ["-n"], input: moved.text("run_all.sh"))
        #expect(
            text(moved.guest.root.files["/etc/sysconfig/kernel"])
                == "INITRD_MODULES=\"sd_mod ahci libata ext4\"\n")
    }

    @Test func mkinitcpio() throws {
        let moved = try moved(
            "mkdir -p hooks usr/bin; : >init; : >init_functions; echo 'HOOKS=\"udev\"' >config; ln -s usr/lib lib0"
        ) { $0.root.write("/etc/mkinitcpio.conf", "MODULES=(ext4)\nHOOKS=(base udev)\n") }
        #expect(moved.text("config").hasPrefix("HOOKS=\"udev\"\n"))
        try expectLoading(by: "config", moved)
        #expect(
            text(moved.guest.root.files["/etc/mkinitcpio.conf"]).hasPrefix(
                "MODULES=(ext4 libata ahci sd_mod)\n"))
    }

    /// booster reads no scripts: its settings tell what is loaded, and behind what.
    @Test func booster() throws {
        let settings = """
            moduledependencies:
                sd_mod:
                    - scsi_mod
            modulesforceload: []
            kernel: \(Self.release)
            mounttimeout: 180
            """
        let moved = try moved(
            "mkdir etc; : >init; cat >etc/booster.init.yaml <<'EOF'\n\(settings)\nEOF\n",
            modules: "usr/lib/modules")
        #expect(
            moved.text("etc/booster.init.yaml") == """
                moduledependencies:
                    sd_mod:
                        - scsi_mod
                    libata:
                        - scsi_mod
                    ahci:
                        - scsi_mod
                        - libata
                modulesforceload:
                    - scsi_mod
                    - libata
                    - ahci
                kernel: \(Self.release)
                mounttimeout: 180

                """)
        for name in ["libata", "ahci", "sd_mod"] {
            #expect(moved.contents.file(at: "usr/lib/modules/\(name).ko") != nil, "\(name)")
        }
        #expect(
            text(moved.guest.root.files["/etc/booster.yaml"]) == "modules: libata,ahci,sd_mod,ext4\n"
        )
    }

    @Test func boostersOwnSettings() throws {
        let image = "mkdir etc; : >init; echo 'kernel: 1' >etc/booster.init.yaml"
        for (before, after) in [
            ("modules: sd-mod\n", "modules: sd-mod,libata,ahci,ext4\n"),
            (
                "# none\ncompression: zstd",
                "# none\ncompression: zstd\nmodules: libata,ahci,sd_mod,ext4\n"
            ),
            ("modules: \"a\"\n", "modules: \"a\"\n"),
        ] {
            let guest = try DriverGuest(holding: nil)
            let held = Self.held.map { ": >usr/lib/modules/\($0).ko\n" }.joined()
            guest.root.write(Self.image, try guest.archive("mkdir -p usr/lib/modules\n\(held)\n\(image)"))
            guest.root.write("/etc/booster.yaml", before)
            let plan = try guest.plan("kvm", controller: .ahci)
            try guest.guest.apply(plan)
            #expect(text(guest.root.files["/etc/booster.yaml"]) == after)
            // What is left alone is advised.
            #expect(plan.advice.contains { $0.message.plain.contains("to its modules") } == (before == after))
        }
    }

    /// Alpine asks its own directory of modules, whose indexes know the old and the new; systemd's udev does too.
    @Test(arguments: [
        "mkdir sbin; : >sbin/nlplug-findfs", "mkdir -p usr/lib/systemd; : >usr/lib/systemd/systemd",
    ])
    func hotplug(_ marks: String) throws {
        let moved = try moved("\(marks); : >init; mkdir -p etc")
        guard Tool.has("modprobe", "cpio") else { return print("modprobe is not installed") }
        let directory = try TemporaryDirectory()
        let overlay = try directory.write("overlay", moved.overlay)
        let image = try directory.write("image", try #require(moved.guest.root.files[Self.image]))
        try Tool.run(
            "sh",
            [
                "-ec",
                "mkdir tree; cd tree; gzip -dc \(image) | cpio -idm --quiet; cpio -idmu --quiet <\(overlay)",
            ], directory: directory.root)
        let base = "\(directory.root)/tree/lib/modules/\(Self.release)"
        for (name, needed) in [
            ("ahci", ["scsi_mod", "libata", "ahci"]), ("sd_mod", ["scsi_mod", "sd_mod"]),
        ] {
            let told = try Tool.run(
                "modprobe", ["-d", "\(directory.root)/tree", "-S", Self.release, "--show-depends", name]
            ).text.split(separator: "\n").map { $0.split(separator: "/").last.map(String.init) ?? "" }
            #expect(told.map { $0.prefix { $0 != "." } } == needed.map { $0.prefix { $0 != "." } })
        }
        // The device that the machine shows.
        let alias = "pci:v00008086d00002922sv0sd0bc01sc06i01"
        let answer = try Tool.run(
            "modprobe", ["-d", "\(directory.root)/tree", "-S", Self.release, "-R", alias])
        #expect(Set(answer.text.split(separator: "\n")) == ["ahci"])
        #expect(try fileBytes("\(base)/kernel/drivers/ahci.ko").count > 0)
    }

    /// What cannot be emulated: modprobe finds every module, and what it needs, in the unpacked overlay.
    @Test(arguments: [
        ("hyperv", Controller.storvsc, ["hv_vmbus", "scsi_mod", "hv_storvsc"]),
        ("xenserver", .xenBlkfront, ["xen_blkfront"]),
        ("vmware", .lsi1030, ["mptbase", "scsi_mod", "mptscsih", "scsi_transport_spi", "mptspi"]),
    ]) func modprobeResolvesEveryModule(
        _ target: String, _ controller: Controller, _ needed: [String]
    ) throws {
        guard Tool.has("modprobe", "cpio") else { return print("modprobe is not installed") }
        let fusion: [DriverGuest.Module] = [
            .init(name: "mptbase"), .init(name: "mptscsih", dependencies: ["mptbase", "scsi_mod"]),
            .init(name: "scsi_transport_spi", dependencies: ["scsi_mod"]),
            .init(
                name: "mptspi", dependencies: ["mptscsih", "mptbase", "scsi_transport_spi", "scsi_mod"],
                aliases: ["pci:v00001000d00000030sv*sd*bc*sc*i*"]),
        ]
        let guest = try DriverGuest(holding: Self.held, modules: DriverGuest.modules + fusion)
        let plan = try guest.plan(target, controller: controller)
        #expect(plan.refusal == nil)
        try guest.guest.apply(plan)
        let overlay = try #require(guest.root.files["/boot/diskgraft-drivers-\(Self.release).img"])
        let directory = try TemporaryDirectory()
        let image = try directory.write("image", overlay)
        try Tool.run(
            "sh", ["-ec", "mkdir tree; cd tree; cpio -idm --quiet <\(image)"], directory: directory.root)
        let tree = "\(directory.root)/tree/diskgraft"
        let last = try #require(needed.last)
        let told = try Tool.run("modprobe", ["-d", tree, "-S", Self.release, "-n", "--show-depends", last])
            .text
            .split(separator: "\n").map { $0.split(separator: " ").last.map(String.init) ?? "" }
        for path in told { #expect(path.hasPrefix(tree), "\(path)") }
        let names = told.map { $0.split(separator: "/").last?.prefix { $0 != "." } ?? "" }
        #expect(Set(names) == Set(needed.map { $0[...] }))
        #expect(names.last == last[...])
        for name in needed {
            try Tool.run("modprobe", ["-d", tree, "-S", Self.release, "-n", "--show-depends", name])
        }
        // The bytes are the guest's own.
        let own = guest.root.files["/lib/modules/\(Self.release)/kernel/drivers/\(last).ko"]
        #expect(try fileBytes("\(tree)/lib/modules/\(Self.release)/kernel/drivers/\(last).ko") == own)
    }
}
