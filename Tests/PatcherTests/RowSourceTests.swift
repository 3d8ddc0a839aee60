import Patcher
import Storage
import Testing

/// Rows and arguments whose device nothing on the disks makes.
@Suite struct RowSourceTests {
    @Test(arguments: [
        "/dev/mapper/mpatha1", "/dev/mapper/secure", "/dev/disk/by-id/dm-name-vg0-data", "/dev/dm-3",
        "/dev/disk/by-id/md-uuid-1:2:3:4", "/dev/disk/cloud/azure_resource-part1", "/dev/drbd0",
        "/dev/bcache0",
        "/dev/nbd0", "/dev/zvol/x/y", "/dev/sr0", "/dev/fd0",
    ])
    func aRowOfUnknownSourceDoesNotHoldUpTheBoot(_ device: String) throws {
        let guest = FieldGuest()
        try guest.patch(rows: "\(device) /data ext4 defaults 0 2\n")
        #expect(guest.rows == "\(device) /data ext4 defaults,nofail 0 2")
        for row in ["ext4 noauto 0 0", "ext4 defaults,nofail 0 0", "nfs defaults 0 0", "none bind 0 0"] {
            let isOfHardware = device.hasPrefix("/dev/disk/") || device.contains("mpath")
            if isOfHardware, !row.contains("noauto"), !row.contains("nofail") {
                continue
            }
            let left = FieldGuest()
            try left.patch(
                rows:
                    "\(device.contains("sr0") || device.contains("fd0") ? "/dev/loop0" : device) /data \(row)\n"
            )
            if row.contains("bind") || row.contains("nfs") {
                #expect(!left.rows.contains("nofail"), "\(row)")
            }
        }
        let needed = FieldGuest([
            "/etc/fstab": "UUID=\(fieldRoot) / ext4 defaults 0 1\n\(device) /var ext4 defaults 0 2\n"
        ])
        if !["/dev/sr0", "/dev/fd0"].contains(device) {
            #expect(try needed.disk.plan("kvm").refusal?.code == .rowStopsBoot)
        }
    }

    /// What shows a source is believed.
    @Test func knownSources() throws {
        var guest = FieldGuest(["/etc/crypttab": "secure UUID=\(fieldData) none luks\n"])
        guest.disk.partition(2, .luks, uuid: fieldData)
        let plan = try guest.patch(
            rows: "/dev/mapper/secure /var ext4 defaults 0 2\n/dev/loop0 /l ext4 defaults 0 0\n")
        #expect(plan.actions.isEmpty && plan.refusal == nil)
        let gone = FieldGuest([
            "/etc/crypttab": "secure UUID=\(fieldData) none luks\n",
            "/etc/fstab":
                "UUID=\(fieldRoot) / ext4 defaults 0 1\n/dev/mapper/secure /var ext4 defaults 0 2\n",
        ])
        #expect(try gone.disk.plan("kvm").refusal?.code == .rowStopsBoot)
    }

    /// A name with one hyphen is a mapping's where a table says so, and else a logical volume's.
    @Test func mappingsThatLookLikeLogicalVolumes() throws {
        for name in ["crypt-var", "luks-data", "a--b-c"] {
            var guest = FieldGuest(["/etc/crypttab": "\(name) UUID=\(fieldData) none luks\n"])
            guest.disk.partition(2, .luks, uuid: fieldData)
            let plan = try guest.patch(rows: "/dev/mapper/\(name) /var ext4 defaults 0 2\n")
            #expect(plan.actions.isEmpty && plan.refusal == nil)
        }
        let gone = FieldGuest([
            "/etc/fstab":
                "UUID=\(fieldRoot) / ext4 defaults 0 1\n/dev/mapper/crypt-var /var ext4 defaults 0 2\n"
        ])
        #expect(try gone.disk.plan("kvm").refusal?.code == .rowStopsBoot)
    }

    /// What lies in a container that is given nobody knows, unless a row takes the container's contents for itself.
    @Test(arguments: [
        "/dev/mapper/vg-data", "/dev/vg/data", "UUID=22222222-9999-4222-8222-222222222222", "LABEL=inside",
    ])
    func whatLiesInAContainer(_ name: String) throws {
        var guest = FieldGuest(["/etc/crypttab": "c UUID=\(fieldData) none luks\n"])
        guest.disk.partition(2, .luks, uuid: fieldData)
        var plan = try guest.patch(rows: "\(name) /var ext4 defaults 0 2\n")
        #expect(plan.actions.isEmpty && plan.refusal == nil)
        let taken = "UUID=\(fieldRoot) / ext4 defaults 0 1\n/dev/mapper/c /srv ext4 defaults 0 2\n"
        guest.root.write("/etc/fstab", taken + "\(name) /var ext4 defaults 0 2\n")
        plan = try guest.disk.plan("kvm")
        #expect(plan.refusal?.code == .rowStopsBoot)
    }

    @Test func mappingsOfMappings() throws {
        let rows = "UUID=\(fieldRoot) / ext4 defaults 0 1\n/dev/mapper/a /x ext4 defaults 0 2\n"
        func row(_ crypttab: String) throws -> String {
            var guest = FieldGuest(["/etc/crypttab": crypttab, "/etc/fstab": rows])
            guest.disk.partition(2, .luks, uuid: fieldData)
            try guest.disk.patch("kvm")
            return guest.rows
        }
        let circle = try row("a /dev/mapper/b none luks\nb /dev/mapper/a none luks\n")
        #expect(circle == "/dev/mapper/a /x ext4 defaults,nofail 0 2")
        let itself = try row("a /dev/mapper/a none luks\n")
        #expect(itself == "/dev/mapper/a /x ext4 defaults,nofail 0 2")
        let dead = try row(
            "a /dev/mapper/b none luks\nb UUID=\(fieldRoot.replacing("1", with: "9")) none luks\n")
        #expect(dead == "/dev/mapper/a /x ext4 defaults,nofail 0 2")
        let whole = try row("a /dev/mapper/b none luks\nb UUID=\(fieldData) none luks\n")
        #expect(whole == "/dev/mapper/a /x ext4 defaults 0 2")
    }

    @Test(arguments: ["none", "none luks", "none luks,discard", ""])
    func tablesOfEncryptedDevices(_ rest: String) throws {
        let row = "secure UUID=\(fieldData)\(rest.isEmpty ? "" : " \(rest)")"
        let guest = FieldGuest(["/etc/crypttab": row + "\n"])
        try guest.disk.patch("kvm")
        let options = rest.split(separator: " ").dropFirst().map { $0 + ",nofail" }.first ?? "nofail"
        #expect(guest.text("/etc/crypttab") == "secure UUID=\(fieldData) none \(options)\n")
        let old = FieldGuest(["/etc/crypttab": row + "\n"], os: "ID=debian\nVERSION_ID=7\n")
        #expect(try old.disk.plan("kvm").actions.isEmpty)
    }

    @Test func swapAndRowsWithoutOptions() throws {
        let guest = FieldGuest()
        try guest.patch(rows: "LABEL=swapx none swap sw 0 0\n/dev/sdb1 /data ext4\n")
        #expect(guest.rows == "LABEL=swapx none swap sw,nofail 0 0\n/dev/sdb1 /data ext4 defaults,nofail")
    }

    /// By LVM's and mdadm's own identifiers.
    @Test func identifiers() throws {
        var guest = FieldGuest()
        let usr = guest.disk.logicalVolume("vg", "usr", .ext4, uuid: fieldData)
        usr.write("/lib/os-release", "ID=ubuntu\nVERSION_ID=22.04\nPRETTY_NAME=\"Ubuntu 22.04\"\n")
        guest.disk.volumes[1].identifierLinks = ["dm-uuid-LVM-AAAABBBB"]
        guest.root.makeDirectory("/usr")
        guest.root.remove("/etc/os-release")
        guest.root.link("/etc/os-release", to: "../usr/lib/os-release")
        let plan = try guest.patch(rows: "/dev/disk/by-id/dm-uuid-LVM-AAAABBBB /usr ext4 defaults 0 2\n")
        #expect(plan.outcome == .boots && plan.unresolved.isEmpty)
        // The release file lies in /usr.
        #expect(try guest.disk.survey().guests.first?.title == "Ubuntu 22.04")
        guest.root.write(
            "/etc/fstab",
            "UUID=\(fieldRoot) / ext4 defaults 0 1\n/dev/disk/by-id/dm-uuid-LVM-CCCC /usr ext4 defaults 0 2\n"
        )
        #expect(try guest.disk.plan("kvm").refusal?.code == .rowStopsBoot)
    }

    /// The target gives the name to the root: it must not be mounted at /data.
    @Test func aNameThatTheTargetGivesToAnother() throws {
        func guest() -> FieldGuest {
            var guest = FieldGuest([
                "/boot/grub/grub.cfg": "set default=0\n" + FieldGuest.entry("A", "root=/dev/sdb1")
            ])
            guest.disk.partition(1, .ext4, uuid: fieldData, disk: 2)
            guest.root.write(
                "/etc/fstab", "/dev/sdb1 / ext4 defaults 0 1\n/dev/sda1 /data ext4 defaults 0 2\n")
            return guest
        }
        let one = guest()
        try one.disk.patch("vmware")
        #expect(one.rows == "/dev/sda1 /data ext4 defaults,nofail,noauto 0 2")
        #expect(try guest().disk.plan("vmware", skip: [.deadRows]).refusal?.code == .wouldMeanAnother)
        let other = guest()
        try other.disk.patch("kvm")
        #expect(other.rows == "/dev/sda1 /data ext4 defaults,nofail 0 2")
        let table = guest()
        table.root.write("/etc/crypttab", "swap /dev/sda1 /dev/urandom swap\n")
        #expect(try table.disk.plan("vmware").refusal?.code == .wouldMeanAnother)
        #expect(try table.disk.plan("kvm").refusal == nil)
    }

    /// dracut waits for what these name, and stops without it.
    @Test func argumentsThatTheInitramfsWaitsFor() throws {
        let guest = FieldGuest([
            "/boot/grub/grub.cfg": "set default=0\n"
                + FieldGuest.entry(
                    "A", "root=UUID=\(fieldRoot) rd.lvm.lv=vg/swap rd.luks.uuid=luks-\(fieldData)")
        ])
        #expect(try guest.disk.plan("kvm", skip: [.deadRows]).stop == .argumentUnresolved)
        try guest.disk.patch("kvm")
        #expect(guest.text("/boot/grub/grub.cfg").contains("root=UUID=\(fieldRoot) ro\n"))
        let usr = FieldGuest([
            "/boot/grub/grub.cfg": "set default=0\n"
                + FieldGuest.entry("A", "root=UUID=\(fieldRoot) mount.usr=/dev/sda7")
        ])
        #expect(try usr.disk.plan("kvm").stop == .argumentUnresolved)
    }

    /// systemd in the initramfs waits for what it is to resume from; scripts wait too, and go on.
    @Test(arguments: [
        ("resume=UUID=\(fieldData)", "ID=fedora\nVERSION_ID=41\n", true),
        ("resume=/dev/sdb1", "ID=fedora\nVERSION_ID=41\n", true),
        ("resume=/dev/mapper/vg-swap", "ID=rhel\nVERSION_ID=9.4\n", true),
        ("resume=/dev/sda2", "ID=fedora\nVERSION_ID=41\n", false),
        ("resume=UUID=\(fieldData)", "ID=debian\nVERSION_ID=12\n", false),
        ("resume=UUID=\(fieldData)", "ID=centos\nVERSION_ID=6\n", false),
    ])
    func whatIsResumedFromIsNotThere(_ argument: String, _ os: String, _ leaves: Bool) throws {
        let settings = "GRUB_CMDLINE_LINUX=\"quiet \(argument)\"\n"
        var guest = FieldGuest(
            [
                "/boot/grub/grub.cfg": "set default=0\n"
                    + FieldGuest.entry("A", "root=UUID=\(fieldRoot) \(argument)"),
                "/etc/default/grub": settings,
            ], os: os)
        guest.disk.partition(2, .swap, uuid: "33333333-1111-4111-8111-111111111111")
        #expect((try guest.disk.plan("kvm", skip: [.deadRows]).stop == .argumentUnresolved) == leaves)
        let plan = try guest.disk.patch("kvm")
        #expect(plan.stop == nil)
        #expect(guest.text("/boot/grub/grub.cfg").contains("resume=") != leaves)
        #expect(guest.text("/etc/default/grub").contains("resume=") != leaves)
    }

    /// A number of the device mapper's is whichever mapping gets it.
    @Test func numberedMappings() throws {
        var guest = FieldGuest([
            "/etc/crypttab":
                "home UUID=\(fieldData) none luks\nswap1 /dev/dm-3 /dev/urandom swap\nold /dev/dm-4 none luks\n"
        ])
        guest.disk.partition(2, .luks, uuid: fieldData)
        let plan = try guest.patch(
            rows: "/dev/dm-1 /srv ext4 defaults 0 2\n/dev/dm-0 /var ext4 defaults 0 2\n")
        #expect(guest.rows == "/dev/dm-1 /srv ext4 defaults,nofail 0 2\n/dev/dm-0 /var ext4 defaults 0 2")
        #expect(
            guest.text("/etc/crypttab")
                == "home UUID=\(fieldData) none luks\nswap1 /dev/dm-3 /dev/urandom swap,nofail\nold /dev/dm-4 none luks,nofail\n"
        )
        #expect(plan.stop == nil && plan.refusal == nil)
        #expect(plan.outcome == .notKnown)
        let said = plan.references.filter { $0.unresolved != nil }.map(\.text)
        #expect(Set(said) == ["/dev/dm-0", "/dev/dm-1", "/dev/dm-3", "/dev/dm-4"])
        let dangers = plan.advice.map(\.message.plain).filter { $0.contains("overwrites /dev/dm-") }
        #expect(dangers.count == 1 && dangers[0].contains("swap1 overwrites /dev/dm-3"))
    }

    /// Whether the boot goes past what it needs is not known where a number names it, or what it is made of.
    @Test(arguments: [
        ("/dev/dm-0", "", ""), ("/dev/mapper/var", "var /dev/dm-3 none luks\n", ""),
        ("/dev/mapper/var", "var /dev/mapper/a none luks\na /dev/dm-3 none luks\n", ""),
    ])
    func numbersThatTheBootNeeds(_ device: String, _ table: String, _ argument: String) throws {
        let place = argument.isEmpty ? "/var" : "/srv"
        func guest(_ options: String = "defaults") -> FieldGuest {
            FieldGuest([
                "/etc/crypttab": table,
                "/etc/fstab":
                    "UUID=\(fieldRoot) / ext4 defaults 0 1\n\(device) \(place) ext4 \(options) 0 2\n",
                "/boot/grub/grub.cfg": "set default=0\n"
                    + FieldGuest.entry("A", "root=UUID=\(fieldRoot) \(argument)"),
            ])
        }
        var opened = guest()
        opened.disk.partition(2, .luks, uuid: fieldData)
        let plan = try opened.disk.patch("kvm")
        #expect(plan.refusal == nil && plan.stop == nil && plan.outcome == .notKnown)
        guard case .oneMayNot(_, _, .numberedDevice(_, let reason)) = plan.unknown else {
            Issue.record("\(String(describing: plan.unknown))")
            return
        }
        #expect(reason.isNumbered && reason.sentence.plain.contains("/dev/dm-"))
        // Logical volumes have numbers too; where nothing is that could make one, the device is not there.
        var volumes = guest()
        volumes.disk.logicalVolume("vg0", "data", .ext4, uuid: fieldData)
        #expect(try volumes.disk.plan("kvm").outcome == .notKnown)
        let code = try guest().disk.plan("kvm")
        #expect(code.stop == (argument.isEmpty ? .rowStopsBoot : .argumentUnresolved))
        guard argument.isEmpty else { return }
        // A boot that goes on without /var has not what it worked with.
        var optional = guest("nofail")
        optional.disk.partition(2, .luks, uuid: fieldData)
        guard case .oneMayNot(_, _, .numberedDevice) = try optional.disk.plan("kvm").unknown else {
            Issue.record("/var by a number, with nofail")
            return
        }
    }

    /// The initramfs mounts /usr: by a number, or by a mapping that a table makes of one; where nothing makes mappings, in vain.
    @Test(arguments: [
        ("mount.usr=/dev/dm-3", ""), ("mount.usr=/dev/mapper/usr", "usr /dev/dm-3 none luks\n"),
        ("mount.usr=/dev/mapper/b", "b /dev/mapper/a none luks\na /dev/dm-1 none luks\n"),
        ("systemd.mount-extra=/dev/dm-3:/srv:ext4", ""),
        ("systemd.mount-extra=/dev/mapper/usr:/srv:ext4", "usr /dev/dm-3 none luks\n"),
    ])
    func numbersThatTheInitramfsMounts(_ argument: String, _ table: String) throws {
        var guest = FieldGuest([
            "/etc/crypttab": table,
            "/boot/grub/grub.cfg": "set default=0\n"
                + FieldGuest.entry("A", "root=UUID=\(fieldRoot) \(argument)"),
        ])
        #expect(try guest.disk.plan("kvm").stop == .argumentUnresolved)
        guest.disk.partition(2, .luks, uuid: fieldData)
        let plan = try guest.disk.patch("kvm")
        #expect(plan.refusal == nil && plan.outcome == .notKnown)
        guard case .oneMayNot(_, _, .numberedDevice) = plan.unknown else {
            Issue.record("\(argument): \(String(describing: plan.unknown))")
            return
        }
        // What the boot does not wait for decides nothing.
        guard argument.hasPrefix("systemd") else { return }
        guest.root.write(
            "/boot/grub/grub.cfg",
            "set default=0\n" + FieldGuest.entry("A", "root=UUID=\(fieldRoot) \(argument):nofail"))
        #expect(try guest.disk.plan("kvm").outcome != .notKnown)
    }

    /// Arguments that entries take over from a variable are waited for like their own; of a variable that is set twice the last counts.
    @Test func argumentsOfVariables() throws {
        func guest(_ values: String...) -> FieldGuest {
            let text =
                "# GRUB Environment Block\n" + values.map { "kernelopts=\($0)\n" }.joined()
            let block = text + String(repeating: "#", count: 1024 - text.utf8.count)
            return FieldGuest(
                [
                    "/boot/grub2/grubenv": block,
                    "/boot/grub2/grub.cfg": "load_env\nblscfg\n",
                    "/boot/grub/grub.cfg": "",
                    "/boot/loader/entries/a.conf":
                        "title A\nlinux /boot/vmlinuz-6.1.0-20\ninitrd /boot/initrd.img-6.1.0-20\noptions $kernelopts\n",
                ], os: "ID=rhel\nVERSION_ID=8.6\n")
        }
        let root = "root=UUID=\(fieldRoot)"
        #expect(try guest("\(root) ro").disk.plan("kvm").stop == nil)
        #expect(try guest("\(root) mount.usr=/dev/sdx2").disk.plan("kvm").stop == .argumentUnresolved)
        #expect(try guest("root=/dev/sdx9 ro", "\(root) ro").disk.plan("kvm").stop == nil)
        #expect(try guest("\(root) ro", "root=/dev/sdx9 ro").disk.plan("kvm").stop == .rootUnresolved)
        #expect(try guest("root=/dev/sdx9 \(root)").disk.plan("kvm").stop == nil)
    }

    @Test func devicesWithinArguments() throws {
        var guest = FieldGuest([
            "/boot/grub/grub.cfg": "set default=0\n"
                + FieldGuest.entry(
                    "A",
                    "root=UUID=\(fieldRoot) mount.usr=/dev/sda2 cryptopts=target=c,source=/dev/sda2 cryptkey=/dev/sda2:ext4:/k rd.luks.key=/k:/dev/sda2 rootflags=data=journal,journal_path=/dev/sda2"
                )
        ])
        guest.disk.partition(2, .ext4, uuid: fieldData)
        try guest.disk.patch("kvm")
        let new = "UUID=\(fieldData)"
        #expect(
            guest.text("/boot/grub/grub.cfg").contains(
                "mount.usr=\(new) cryptopts=target=c,source=\(new) cryptkey=\(new):ext4:/k rd.luks.key=/k:\(new) rootflags=data=journal,journal_path=/dev/disk/by-uuid/\(fieldData) ro"
            ))
    }

    @Test func unitsOfSystemd() throws {
        var guest = FieldGuest([
            "/etc/systemd/system/data.mount": "[Mount]\nWhat=/dev/sda2\nWhere=/data\n",
            "/etc/systemd/system/dev-sda3.swap": "[Swap]\nWhat=/dev/sda3\n",
            "/etc/systemd/system/getty.target.wants/serial-getty@hvc0.service": "",
        ])
        guest.disk.partition(2, .ext4, uuid: fieldData)
        guest.disk.partition(3, .swap, uuid: "33333333-1111-4111-8111-111111111111")
        let plan = try guest.disk.patch("vmware")
        #expect(
            guest.text("/etc/systemd/system/data.mount")
                == "[Mount]\nWhat=/dev/disk/by-uuid/\(fieldData)\nWhere=/data\n")
        #expect(guest.text("/etc/systemd/system/dev-sda3.swap").contains("What=/dev/sda3\n"))
        let advice = plan.advice.map(\.message.plain).joined(separator: "\n")
        #expect(advice.contains("the unit swaps to /dev/sda3") && advice.contains("serial-getty@hvc0"))
        #expect(
            try !guest.disk.plan("xenserver").advice.contains { $0.message.plain.contains("serial-getty") })
    }
}
