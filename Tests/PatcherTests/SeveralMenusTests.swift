import Patcher
import Storage
import Testing

/// Of two menus that may be read, one of which cannot boot, nobody knows.
@Suite struct SeveralMenusTests {
    private let gone = "99999999-1111-4222-8333-444455556666"

    private func guest(_ legacyRoot: String, _ grubRoot: String) throws -> Plan {
        var guest = FieldGuest([
            "/boot/grub/menu.lst":
                "default 0\ntitle Old\nkernel /boot/vmlinuz-6.1.0-20 root=UUID=\(legacyRoot)\ninitrd /boot/initrd.img-6.1.0-20\n",
            "/boot/grub/grub.cfg": "set default=0\n" + FieldGuest.entry("New", "root=UUID=\(grubRoot)"),
        ])
        guest.disk.bootCode = [.other]
        return try guest.disk.plan("kvm")
    }

    @Test func oneOfThemCannot() throws {
        #expect(try guest(fieldRoot, fieldRoot).outcome == .boots)
        for plan in [try guest(gone, fieldRoot), try guest(fieldRoot, gone)] {
            #expect(plan.outcome == .notKnown)
            guard case .oneCannot? = plan.unknown else {
                Issue.record("\(String(describing: plan.unknown))")
                continue
            }
        }
        #expect(try guest(gone, gone).refusal?.code == .defaultCannot)
    }

    /// Of two branches of one entry one names a kernel that is not there.
    @Test func oneBranchCannot() throws {
        let guest = FieldGuest([
            "/boot/grub/grub.cfg":
                "menuentry A {\nif [ $x = y ]; then\nlinux /boot/vmlinuz-6.1.0-20 root=UUID=\(fieldRoot)\ninitrd /boot/initrd.img-6.1.0-20\nelse\nlinux /boot/gone root=UUID=\(fieldRoot)\nfi\n}\n"
        ])
        #expect(try guest.disk.plan("kvm").outcome == .notKnown)
    }
}

/// What a target without a way to start the disks may be told of.
@Suite struct FirmwareAdviceTests {
    @Test func noOtherTargetHelpsADiskWithoutBootCode() throws {
        var guest = FieldGuest()
        guest.disk.bootCode = [.none]
        let refusal = try #require(try guest.disk.plan("hyperv-gen2").refusal)
        #expect(refusal.code == .noBootCode && !refusal.sentence.plain.contains("has a BIOS"))
        guest.disk.bootCode = [.grub2]
        #expect(try guest.disk.plan("hyperv-gen2").refusal == .noUEFILoader(target: "hyperv-gen2"))
    }
}

/// Releases that are made of others count by numbers of their own.
@Suite struct DerivedReleaseTests {
    private func release(_ text: String) throws -> OSRelease {
        let guest = FieldGuest(os: text)
        return try #require(try guest.disk.survey().guests.first?.release)
    }

    @Test(arguments: [
        (
            "ID=devuan\nID_LIKE=debian\nVERSION_ID=\"4\"\nVERSION_CODENAME=chimaera\n",
            OSRelease.Family.debian, nil
        ),
        (
            "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=\"21.2\"\nUBUNTU_CODENAME=jammy\n", .ubuntu,
            22
        ),
        ("ID=linuxmint\nID_LIKE=debian\nVERSION_ID=\"5\"\nDEBIAN_CODENAME=bullseye\n", .debian, 11),
        ("ID=elementary\nID_LIKE=ubuntu\nVERSION_ID=\"6.1\"\nUBUNTU_CODENAME=focal\n", .ubuntu, 20),
        ("ID=qubes\nID_LIKE=\"rhel fedora\"\nVERSION_ID=4.1\n", .redHat, nil),
        ("ID=\"sle-micro\"\nID_LIKE=\"suse\"\nVERSION_ID=\"5.3\"\n", .suse, nil),
        ("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\nVERSION_ID=\"15.4\"\n", .suse, 15),
        ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.4\"\n", .redHat, 9),
    ])
    func whatTheyAreMadeOf(_ text: String, _ family: OSRelease.Family, _ major: Int?) throws {
        let release = try release(text)
        #expect(release.family == family && release.major == major)
        #expect(!release.usesOldIDEDriver(kernel: [6, 1]))
    }

    /// Partitions' UUIDs are looked for since util-linux 2.24, where they are made of an MBR's signature.
    @Test(arguments: [
        ("ID=debian\nVERSION_ID=8\n", true), ("ID=debian\nVERSION_ID=7\n", false),
        ("ID=ubuntu\nVERSION_ID=14.04\n", false), ("ID=ubuntu\nVERSION_ID=16.04\n", true),
        ("ID=centos\nVERSION_ID=7\n", false), ("ID=rocky\nVERSION_ID=8.9\n", true),
        ("ID=opensuse\nNAME=openSUSE\nVERSION_ID=12.3\n", false),
        ("ID=opensuse\nNAME=openSUSE\nVERSION_ID=13.2\n", true),
        ("ID=sles\nNAME=SLES\nVERSION_ID=12\n", true), ("ID=alpine\nVERSION_ID=3.18\n", false),
        ("ID=amzn\nNAME=\"Amazon Linux AMI\"\nVERSION_ID=2018.03\n", false),
        ("ID=amzn\nNAME=\"Amazon Linux\"\nVERSION_ID=2\n", true),
    ])
    func partitionUUIDs(_ text: String, _ isKnown: Bool) throws {
        var guest = FieldGuest(os: text)
        guest.disk.partition(2, .ext4, partUUID: "5eed0001-02")
        try guest.patch(rows: "/dev/sda2 /data ext4 defaults 0 2\n")
        #expect(guest.rows.hasPrefix(isKnown ? "PARTUUID=5eed0001-02 " : "/dev/vda2 "))
    }
}
