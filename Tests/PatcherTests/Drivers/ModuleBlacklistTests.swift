import Patcher
import Storage
import TestSupport
import Testing

private let piix = ["ext4", "scsi_mod", "sd_mod", "libata", "ata_piix"]
private let virtio = ["virtio", "virtio_ring", "virtio_pci", "virtio_blk"]

/// Drivers that are there, and kept from being loaded.
@Suite struct ModuleBlacklistTests {
    /// What Debian's init says to every modprobe.
    private static let init_ = "export MODPROBE_OPTIONS=\"-qb\""

    private func guest(
        _ arguments: String, _ files: [String: String] = [:], isDracut: Bool = false
    ) throws -> DriverGuest {
        let image = "/boot/initrd.img-\(DriverGuest.release)"
        let guest = try DriverGuest(
            holding: nil, menu: DriverGuest.entry("Debian", initrd: image, arguments: arguments))
        if isDracut {
            var commands =
                "mkdir -p usr/lib/dracut/hooks/pre-udev usr/lib/modules/\(DriverGuest.release)/kernel\n"
            for name in piix + virtio {
                commands += ": >usr/lib/modules/\(DriverGuest.release)/kernel/\(name).ko\n"
            }
            for (path, text) in files {
                commands += "mkdir -p \"$(dirname \(path))\"; printf '%s' '\(text)' >\(path)\n"
            }
            guest.root.write(image, try guest.archive(commands))
        } else {
            guest.root.write(image, try guest.image(piix + virtio, files: files))
        }
        return guest
    }

    private func drivers(
        _ arguments: String, _ files: [String: String] = [:], isDracut: Bool = false,
        behind controller: Controller = .virtioBlk
    ) throws -> EntryVerdict.Drivers? {
        try guest(arguments, files, isDracut: isDracut).plan("kvm", controller: controller).verdicts.first?
            .drivers
    }

    @Test func modulesThatAreKeptOut() throws {
        let mine = "/etc/modprobe.d/mine.conf"
        let own = "\(mine) of its initramfs"
        #expect(
            try drivers("ro modprobe.blacklist=floppy,virtio-blk")
                == .forbidden("virtio_blk", by: "modprobe.blacklist="))
        #expect(
            try drivers("ro module_blacklist=floppy,virtio_blk")
                == .forbidden("virtio_blk", by: "module_blacklist="))
        for name in ["modprobe.blacklist", "rd.driver.blacklist", "module_blacklist"] {
            #expect(try drivers("ro \(name)=floppy") == .present)
        }
        let plan = try guest("ro modprobe.blacklist=virtio_blk").plan("kvm", controller: .virtioBlk)
        #expect(plan.refusal?.code == .defaultCannot)
        #expect(
            plan.refusal?.sentence.plain.contains("modprobe.blacklist= keeps virtio_blk from being loaded")
                == true)
        // Another controller is driven.
        #expect(try guest("ro modprobe.blacklist=virtio_blk").plan("kvm").controller == .ide)
        // What a driver depends on is loaded with it, unless the kernel itself refuses.
        #expect(try drivers("ro modprobe.blacklist=virtio_ring") == .present)
        #expect(
            try drivers("ro module_blacklist=virtio_ring")
                == .forbidden("virtio_ring", by: "module_blacklist="))
        // A file of the image says the same, and words behind the name say nothing.
        for line in ["blacklist virtio-blk", "blacklist virtio_blk # not wanted"] {
            #expect(try drivers("ro", [String(mine.dropFirst()): line]) == .forbidden("virtio_blk", by: own))
        }
        // One of /etc hides its namesake.
        #expect(
            try drivers(
                "ro",
                [
                    "etc/modprobe.d/mine.conf": "# none",
                    "usr/lib/modprobe.d/mine.conf": "blacklist virtio_blk",
                ])
                == .present)
    }

    /// A list of modules to load is read by a modprobe that heeds blacklists or does not.
    @Test func modulesThatAreLoadedByName() throws {
        let list = ["conf/modules": "virtio_blk", "etc/modprobe.d/mine.conf": "blacklist virtio_blk"]
        #expect(try drivers("ro modprobe.blacklist=virtio_blk", list) == .present)
        #expect(
            try drivers("ro module_blacklist=virtio_blk", list)
                == .forbidden("virtio_blk", by: "module_blacklist="))
        let heeded = list.merging(["init": Self.init_]) { $1 }
        #expect(
            try drivers("ro", heeded)
                == .forbidden("virtio_blk", by: "/etc/modprobe.d/mine.conf of its initramfs"))
        #expect(
            try drivers(
                "ro modprobe.blacklist=ata_piix,ata_generic",
                ["conf/modules": "ata_piix", "init": Self.init_],
                behind: .ide) == .forbidden("ata_piix", by: "modprobe.blacklist="))
        #expect(
            try drivers("ro", ["conf/modules": "ata_piix", "init": Self.init_], behind: .ide) == .present)
        // Whose init puts it into the kernel needs no modprobe.
        #expect(
            try drivers(
                "ro modprobe.blacklist=virtio_blk",
                [
                    "init": "\(Self.init_)\ninsmod /usr/lib/virtio_blk.ko",
                    "etc/modprobe.d/mine.conf": "blacklist virtio_blk",
                ])
                == .present)
        #expect(
            try drivers("ro modprobe.blacklist=virtio_blk", ["init": "modprobe -b virtio_blk"])
                == .forbidden("virtio_blk", by: "modprobe.blacklist="))
        // systemd heeds them; what rd.driver.pre= names is loaded all the same.
        let pre = "ro modprobe.blacklist=virtio_blk"
        #expect(
            try drivers(pre, ["etc/modules-load.d/a.conf": "virtio_blk"], isDracut: true)
                == .forbidden("virtio_blk", by: "modprobe.blacklist="))
        #expect(try drivers(pre + " rd.driver.pre=virtio-blk", isDracut: true) == .present)
        #expect(
            try drivers(pre, ["etc/cmdline.d/a.conf": "rd.driver.pre=virtio-blk"], isDracut: true) == .present
        )
    }

    /// Each of these is an argument of one generator's.
    @Test func argumentsOfOneGenerator() throws {
        #expect(
            try drivers("ro rd.driver.blacklist=virtio-blk", isDracut: true)
                == .forbidden("virtio_blk", by: "rd.driver.blacklist="))
        #expect(try drivers("ro rd.driver.blacklist=virtio-blk") == .present)
        #expect(
            try drivers("ro", ["etc/cmdline.d/a.conf": "rd.driver.blacklist=virtio_blk"], isDracut: true)
                == .forbidden("virtio_blk", by: "/etc/cmdline.d/a.conf of its initramfs"))
        #expect(try drivers("ro blacklist=virtio-blk") == .forbidden("virtio_blk", by: "blacklist="))
        #expect(try drivers("ro blacklist=virtio-blk", isDracut: true) == .present)
        // The kernel compares letter by letter, and takes the last.
        #expect(try drivers("ro module_blacklist=virtio-blk") == .present)
        #expect(try drivers("ro module_blacklist=virtio_blk module_blacklist=floppy") == .present)
    }

    /// `install` lines count for whoever asks modprobe or udev, also for what a driver depends on.
    @Test func installLines() throws {
        func said(_ line: String, _ more: [String: String] = [:]) throws -> EntryVerdict.Drivers? {
            try drivers("ro", ["etc/modprobe.d/mine.conf": line].merging(more) { $1 })
        }
        let by = "/etc/modprobe.d/mine.conf of its initramfs"
        #expect(try said("install virtio-blk /bin/false") == .forbidden("virtio_blk", by: by))
        #expect(try said("install virtio_ring /bin/true\n") == .forbidden("virtio_ring", by: by))
        #expect(
            try said("install virtio_blk /bin/false", ["conf/modules": "virtio_blk"])
                == .forbidden("virtio_blk", by: by))
        #expect(try said("install ext4 /bin/false") == .forbidden("ext4", by: by))
        #expect(try said("install floppy /bin/false") == .present)
        #expect(try said("install virtio_blk /sbin/modprobe -i virtio_blk") == .present)
        #expect(
            try said("install virtio_blk /bin/false", ["init": "insmod /lib/virtio_blk.ko"]) == .present)
    }

    /// The function that a driver begins with, be it built in or a module.
    @Test func initcalls() throws {
        let by = "initcall_blacklist="
        #expect(
            try drivers("ro initcall_blacklist=floppy_init,virtio_blk_init")
                == .forbidden("virtio_blk", by: by))
        #expect(try drivers("ro initcall_blacklist=ext4_init_fs") == .forbidden("ext4", by: by))
        #expect(try drivers("ro initcall_blacklist=piix_init") == .present)
        let guest = try guest("ro initcall_blacklist=piix_init")
        let inside = ["ata_piix", "libata", "scsi_mod", "sd_mod"]
        guest.write(DriverGuest.modules.filter { !inside.contains($0.name) })
        guest.root.write(
            "/lib/modules/\(DriverGuest.release)/modules.builtin", inside.map { "kernel/\($0).ko\n" }.joined()
        )
        for name in inside {
            guest.root.remove("/lib/modules/\(DriverGuest.release)/kernel/drivers/\(name).ko")
        }
        #expect(
            try guest.plan("kvm", controller: .ide).verdicts.map(\.drivers) == [
                .forbidden("ata_piix", by: by)
            ])
    }

    /// What is added is loaded by its name, whatever the lists say; what was there stays kept out.
    @Test func whatIsAdded() throws {
        let lists = ["etc/modprobe.d/mine.conf": "install libata /bin/false", "init": Self.init_]
        let moved = try guest("ro modprobe.blacklist=ahci", lists)
        let added = try moved.plan("kvm", controller: .ahci)
        #expect(added.verdicts.map(\.drivers) == [.added(["ahci"])])
        try moved.guest.apply(added)
        #expect(try moved.plan("kvm", controller: .ahci).verdicts.map(\.drivers) == [.present])
        let refused = try guest("ro modprobe.blacklist=sd_mod").plan("kvm", controller: .ahci)
        #expect(refused.verdicts.map(\.drivers) == [.forbidden("sd_mod", by: "modprobe.blacklist=")])
        #expect(refused.refusal?.code == .defaultCannot)
        #expect(refused.actions.isEmpty)
    }
}
