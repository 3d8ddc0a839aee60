import Initramfs
import Storage
import TestSupport
import Testing

/// What an image tells, generator by generator.
@Suite struct InitramfsReportTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        /// Paths and texts; a path that ends with "/" is a directory, a text that begins with "->" a link's target.
        var files: [(String, String)]
        var generator: InitramfsGenerator
        var isHostOnly: Bool?
        var live: LiveSystem?
        var isMerged = false
        var hasSystemd = false
        var releases: [String] = []
        var modules: [String] = []
        var loaded: [String: [String]] = [:]
        var configuration: [String: ConfigurationCopy.Kind] = [:]
        var hooks: String?
        var testDescription: String { name }
    }

    static let cases = [
        Case(
            name: "Debian 12, MODULES=dep",
            files: [
                ("lib", "->usr/lib"), ("usr/lib/modules/6.1.0-18-amd64/kernel/drivers/ata/ata_piix.ko", "x"),
                ("usr/lib/modules/6.1.0-18-amd64/kernel/drivers/virtio/virtio-blk.ko.xz", "x"),
                ("usr/lib/modules/6.1.0-18-amd64/modules.dep", "x"), ("scripts/init-top/udev", "x"),
                ("scripts/functions", "x"), ("conf/initramfs.conf", "MODULES=dep\nBUSYBOX=auto\n"),
                ("conf/modules", "# comment\nsd-mod\next4 debug=1\n\n"),
                ("conf/conf.d/resume", "RESUME=UUID=1-2"),
                ("etc/lvm/lvm.conf", "devices {}"), ("cryptroot/crypttab", "a UUID=1"),
                ("etc/mdadm/mdadm.conf", "ARRAY"), ("etc/modprobe.d/a.conf", "blacklist b"),
                ("init", "#!/bin/sh\nmodprobe -q $x\n"),
            ],
            generator: .initramfsTools, isHostOnly: true, isMerged: true, releases: ["6.1.0-18-amd64"],
            modules: ["ata_piix", "virtio_blk"], loaded: ["conf/modules": ["sd_mod", "ext4"]],
            configuration: [
                "conf/initramfs.conf": .generator, "conf/conf.d/resume": .resume, "etc/lvm/lvm.conf": .lvm,
                "cryptroot/crypttab": .crypttab, "etc/mdadm/mdadm.conf": .mdadm,
                "etc/modprobe.d/a.conf": .modprobe,
            ]),
        Case(
            name: "Debian with the installer's policy",
            files: [
                ("conf/initramfs.conf", "MODULES=most\n"),
                ("conf/conf.d/driver-policy", "# x\nMODULES=dep\n"),
            ],
            generator: .initramfsTools, isHostOnly: true,
            configuration: ["conf/initramfs.conf": .generator, "conf/conf.d/driver-policy": .generator]),
        Case(
            name: "Debian live",
            files: [
                ("conf/initramfs.conf", "MODULES=most\n"), ("scripts/live", "x"), ("lib/live/boot/x", "x"),
            ],
            generator: .initramfsTools, isHostOnly: false, live: .liveBoot,
            configuration: ["conf/initramfs.conf": .generator]),
        Case(
            name: "Ubuntu's casper", files: [("conf/initramfs.conf", ""), ("scripts/casper", "x")],
            generator: .initramfsTools, live: .casper, configuration: ["conf/initramfs.conf": .generator]),
        Case(
            name: "RHEL 8, host-only",
            files: [
                ("lib", "->usr/lib"), ("usr/lib/dracut/dracut-049-233.git20230815.el8", "dracut-049"),
                ("usr/lib/dracut/hostonly-kernel-modules.txt", "x"), ("usr/lib/dracut/hooks/pre-udev/", ""),
                ("usr/lib/systemd/systemd", "x"),
                ("etc/cmdline.d/30-a.conf", "rd.driver.pre=nvme,nvme-core ro\n"),
                ("etc/modules-load.d/a.conf", "dm-mod\n"), ("etc/lvm/devices/system.devices", "x"),
                ("etc/fstab.empty", ""), ("etc/crypttab", "x"),
                ("usr/lib/modules/4.18.0-513.el8.x86_64/kernel/a.ko.xz", "x"),
            ],
            generator: .dracut(version: "049-233.git20230815.el8"), isHostOnly: true, isMerged: true,
            hasSystemd: true, releases: ["4.18.0-513.el8.x86_64"], modules: ["a"],
            loaded: [
                "etc/cmdline.d/30-a.conf": ["nvme", "nvme_core"], "etc/modules-load.d/a.conf": ["dm_mod"],
            ],
            configuration: [
                "etc/cmdline.d/30-a.conf": .kernelParameters, "etc/lvm/devices/system.devices": .lvmDevices,
                "etc/fstab.empty": .fstab, "etc/crypttab": .crypttab,
            ],
            hooks: "usr/lib/dracut/hooks"),
        Case(
            name: "dracut with --no-hostonly",
            files: [
                ("lib/dracut/dracut-059-4", "x"),
                ("lib/dracut/build-parameter.txt", " -H --kver '6.1' --no-hostonly"),
                ("lib/dracut/hooks/cmdline/", ""), ("sbin/dmsquash-live-root", "x"),
            ],
            generator: .dracut(version: "059-4"), isHostOnly: false, live: .dmsquash,
            hooks: "lib/dracut/hooks"),
        Case(
            name: "dracut-ng",
            files: [
                ("lib", "->usr/lib"), ("usr/lib/dracut/modules.txt", "x"),
                ("var/lib/dracut/hooks/pre-udev/", ""),
                ("usr/lib/initrd-release", "NAME=Fedora\nDRACUT_VERSION=\"103\"\n"),
                ("etc/initrd-release", "->../usr/lib/initrd-release"),
                ("usr/lib/dracut/build-parameter.txt", " --hostonly"),
            ],
            generator: .dracut(version: "103"), isHostOnly: true, isMerged: true,
            hooks: "var/lib/dracut/hooks"),
        Case(
            name: "RHEL 6",
            files: [
                ("pre-udev/", ""), ("pre-trigger/", ""), ("cmdline/", ""), ("initqueue/", ""),
                ("lib/modules/2.6.32-754.el6.x86_64/kernel/b.ko", "x"), ("etc/cmdline", "rdloaddriver=b-c\n"),
            ],
            generator: .dracut(version: nil), releases: ["2.6.32-754.el6.x86_64"], modules: ["b"],
            loaded: ["etc/cmdline": ["b_c"]], configuration: ["etc/cmdline": .kernelParameters], hooks: ""),
        Case(
            name: "mkinitcpio",
            files: [
                ("init_functions", "x"), ("config", "MODULES=\"virtio-blk ext4\"\nHOOKS=\"udev\"\n"),
                ("hooks/udev", "x"), ("lib", "->usr/lib"),
                ("usr/lib/modules/6.7.1-arch1-1/kernel/c.ko.zst", "x"),
            ],
            generator: .mkinitcpio, isMerged: true, releases: ["6.7.1-arch1-1"], modules: ["c"],
            loaded: ["config": ["virtio_blk", "ext4"]], configuration: ["config": .generator]),
        Case(
            name: "SLES 11",
            files: [
                ("run_all.sh", "x"), ("bin/run-init", "x"),
                ("config/start.sh", "RESOLVED_INITRD_MODULES='ata_piix sd_mod'\n"),
                ("lib/modules/3.0.101-default/initrd/d.ko", "x"),
            ],
            generator: .suseMkinitrd, releases: ["3.0.101-default"], modules: ["d"],
            loaded: ["config/start.sh": ["ata_piix", "sd_mod"]],
            configuration: ["config/start.sh": .generator]),
        Case(
            name: "RHEL 5",
            files: [
                ("init", "#!/bin/nash\necho x\ninsmod /lib/scsi_mod.ko\ninsmod /lib/sd_mod.ko \nmkblkdevs\n"),
                ("lib/scsi_mod.ko", "x"), ("lib/sd_mod.ko", "x"), ("etc/lvm/lvm.conf", "x"),
            ],
            generator: .nash, modules: ["scsi_mod", "sd_mod"], loaded: ["init": ["scsi_mod", "sd_mod"]],
            configuration: ["etc/lvm/lvm.conf": .lvm]),
        Case(
            name: "Alpine",
            files: [
                ("init", "#!/bin/sh\nVERSION=3.8\nmodprobe -a loop squashfs\n"), ("sbin/nlplug-findfs", "x"),
                ("lib/modules/6.6.4-0-lts/kernel/e.ko.gz", "x"), ("etc/modules", "af_packet\n"),
                ("newroot/", ""),
            ],
            generator: .mkinitfs, releases: ["6.6.4-0-lts"], modules: ["e"],
            loaded: ["etc/modules": ["af_packet"], "init": ["loop"]]),
        Case(
            name: "booster",
            files: [
                ("init", "\u{7f}ELF"),
                (
                    "etc/booster.init.yaml",
                    "moduledependencies:\n    g:\n        - f\nmodulesforceload:\n    - virtio-pci\n    - ext4\nkernel: 6.8\n"
                ),
                ("usr/lib/modules/f.ko", "x"),
            ],
            generator: .booster, modules: ["f"],
            loaded: ["etc/booster.init.yaml": ["virtio_pci", "ext4"]],
            configuration: ["etc/booster.init.yaml": .generator]),
        Case(
            name: "mkosi",
            files: [
                ("usr/lib/systemd/systemd", "x"), ("init", "->usr/lib/systemd/systemd"), ("lib", "->usr/lib"),
            ],
            generator: .systemd, isMerged: true, hasSystemd: true),
        Case(name: "something else", files: [("init", "#!/bin/sh\n")], generator: .unknown),
    ]

    private static func image(_ files: [(String, String)]) -> [UInt8] {
        RawArchive.make { archive in
            var made: Set<String> = []
            for (path, text) in files {
                let steps = path.split(separator: "/").map(String.init)
                let count = path.hasSuffix("/") ? steps.count : steps.count - 1
                for length in 1..<max(count + 1, 1) {
                    let directory = steps[..<length].joined(separator: "/")
                    if made.insert(directory).inserted { archive.directory(directory) }
                }
                if text.hasPrefix("->") {
                    archive.link(path, String(text.dropFirst(2)))
                } else if !path.hasSuffix("/") {
                    archive.file(path, text)
                }
            }
        }
    }

    @Test(arguments: cases) func whatIsTold(_ known: Case) throws {
        let (contents, report) = try InitramfsReport.read(InitramfsImage(ByteSource(Self.image(known.files))))
        #expect(contents.failure == nil)
        #expect(report.generator == known.generator)
        #expect(report.isHostOnly == known.isHostOnly)
        #expect(report.liveSystem == known.live)
        #expect(report.isUsrMerged == known.isMerged)
        #expect(report.hasSystemd == known.hasSystemd)
        #expect(report.releases == known.releases)
        #expect(report.modules.map(\.name) == known.modules)
        #expect(report.modules.map(\.release) == known.modules.map { _ in known.releases.first })
        #expect(report.dracutHooks.map { String(decoding: $0, as: UTF8.self) } == known.hooks)
        let lists = report.loadedModules.map { (String(decoding: $0.path, as: UTF8.self), $0.names) }
        #expect(Dictionary(uniqueKeysWithValues: lists) == known.loaded)
        let copies = report.configuration.map { (String(decoding: $0.path, as: UTF8.self), $0.kind) }
        #expect(Dictionary(uniqueKeysWithValues: copies) == known.configuration)
        for copy in report.configuration {
            let text = known.files.first { $0.0 == String(decoding: copy.path, as: UTF8.self) }?.1
            #expect(String(decoding: copy.bytes, as: UTF8.self) == text)
        }
    }

    @Test func everyCompressionOfModulesIsKnown() throws {
        let image = Self.image([
            ("lib/modules/6/a-b.ko", ""), ("lib/modules/6/c.ko.gz", ""), ("lib/modules/6/d.ko.xz", ""),
            ("lib/modules/6/e.ko.zst", ""), ("lib/modules/6/f.ko.bz2", ""), ("lib/modules/6/.ko", ""),
            ("lib/modules/6/g.koala", ""),
        ])
        let report = try InitramfsReport.read(InitramfsImage(ByteSource(image))).report
        #expect(report.modules.map(\.name) == ["a_b", "c", "d", "e"])
        #expect(report.modules.map(\.compression) == [.none, .gzip, .xz, .zstd])
    }

    /// What else is asked for comes in the same pass; what is too long for a configuration is left out.
    @Test func moduleBytesComeInTheSamePass() throws {
        let large = String(repeating: "#", count: 2 << 20)
        let image = Self.image([("lib/modules/6/a.ko", "bytes"), ("etc/crypttab", large)])
        let (contents, report) = try InitramfsReport.read(InitramfsImage(ByteSource(image))) { path, _ in
            path.suffix(3).elementsEqual(".ko".utf8)
        }
        #expect(contents.text("lib/modules/6/a.ko") == "bytes")
        #expect(report.configuration.isEmpty)
    }
}

/// Images that real generators made, where they are installed.
@Suite struct RealInitramfsTests {
    /// Anything that lies in the host's /boot: read to the end, with what made it.
    @Test func imagesOfThisHostAreRead() throws {
        let listing = try Tool.run(
            "sh", ["-c", "ls /boot/initrd.img-* /boot/initramfs-* 2>/dev/null || true"]
        ).text
        let paths = listing.split(separator: "\n").map(String.init)
        guard !paths.isEmpty else { return print("the host has no initramfs in /boot") }
        for path in paths {
            guard let bytes = try? fileBytes(path) else { continue }
            let (contents, report) = try InitramfsReport.read(InitramfsImage(ByteSource(bytes)))
            #expect(contents.failure == nil)
            #expect(report.generator != .unknown)
        }
    }
}
