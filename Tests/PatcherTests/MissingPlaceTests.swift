import Patcher
import Storage
import Testing

/// What is mounted below a place where nothing will be, or from one, and trees that the boot goes on without.
@Suite struct MissingPlaceTests {
    private func guest(_ rows: String, os: String = "ID=debian\nVERSION_ID=12\n") -> FieldGuest {
        let guest = FieldGuest(["/etc/fstab": "UUID=\(fieldRoot) / ext4 defaults 0 1\n" + rows], os: os)
        var disk = guest.disk
        disk.partition(2, .ext4, uuid: fieldData)
        var with = guest
        with.disk = disk
        return with
    }

    /// systemd ties each to the place above it, and to what it is mounted from.
    @Test(arguments: [
        "UUID=\(fieldData) /data/sub ext4 defaults 0 2", "/data/x /srv/x none bind 0 0",
        "/data/x /srv/x none rw,rbind 0 0", "/data/i.iso /iso iso9660 loop,ro 0 0",
        "/data/swap none swap sw 0 0",
        "overlay /merged overlay lowerdir=/etc:/data/l,upperdir=/u,workdir=/w 0 0",
        "UUID=\(fieldData) /far ext4 x-systemd.requires-mounts-for=/data 0 2",
        "UUID=\(fieldData) /far ext4 x-systemd.requires=data.mount 0 2", "tmpfs /data/run tmpfs size=1m 0 0",
    ])
    func whatHangsOnWhatIsMissing(_ row: String) throws {
        for parent in [
            "/dev/sdb1 /data ext4 defaults 0 2", "/dev/sdb1 /data ext4 noauto 0 2",
            "UUID=77777777-1111-4111-8111-111111111111 /data xfs nofail 0 0",
        ] {
            for order in [[parent, row], [row, parent]] {
                let guest = guest(order.joined(separator: "\n") + "\n")
                let plan = try guest.disk.patch("kvm")
                #expect(plan.refusal == nil)
                let found = guest.text("/etc/fstab").split(separator: "\n").first {
                    $0.hasPrefix(row.prefix { $0 != " " })
                        && $0.split(separator: " ")[1] == row.split(separator: " ")[1]
                }
                #expect(found?.split(separator: " ")[3].hasSuffix(",nofail") == true, "\(parent): \(row)")
            }
        }
    }

    /// What hangs on that too; what merely begins alike, or is not mounted by itself, does not.
    @Test func whatHangsOnThat() throws {
        let guest = guest(
            "/dev/sdb1 /data ext4 defaults 0 2\n/data/a /b none bind 0 0\n/b/c /d none bind 0 0\nUUID=\(fieldData) /database ext4 defaults 0 2\n/data/e /e none bind,noauto 0 0\n//server/data /s cifs guest 0 0\n"
        )
        try guest.disk.patch("kvm")
        #expect(
            guest.rows
                == "/dev/sdb1 /data ext4 defaults,nofail 0 2\n/data/a /b none bind,nofail 0 0\n/b/c /d none bind,nofail 0 0\nUUID=\(fieldData) /database ext4 defaults 0 2\n/data/e /e none bind,noauto 0 0\n//server/data /s cifs guest 0 0"
        )
    }

    /// Old init scripts mount what there is, one behind the other.
    @Test func withoutSystemd() throws {
        let rows = "/dev/sdb1 /data ext4 noauto 0 0\n/data/x /srv/x none bind 0 0"
        let old = guest(rows + "\n", os: "ID=debian\nVERSION_ID=6\n")
        try old.disk.patch("kvm")
        #expect(old.rows == rows)
        let upstart = guest(rows + "\n", os: "ID=ubuntu\nVERSION_ID=14.04\n")
        try upstart.disk.patch("kvm")
        #expect(upstart.rows.hasSuffix("/data/x /srv/x none bind,nobootwait 0 0"))
    }

    /// What the boot needs stops it there.
    @Test(arguments: [
        "/dev/sdb1 /data ext4 defaults 0 2\n/data/var /var none bind 0 0\n",
        "/dev/sdb1 /boot ext4 nofail 0 2\nUUID=\(fieldData) /boot/efi ext4 defaults 0 2\n",
    ])
    func whatTheBootNeedsHangsOnIt(_ rows: String) throws {
        let plan = try guest(rows).disk.plan("kvm")
        guard case .rowStopsBoot(_, _, .belowMissing(let place))? = plan.refusal else {
            Issue.record("\(String(describing: plan.refusal))")
            return
        }
        #expect(rows.contains(" \(place) ext4"))
    }

    /// A unit that a target requires hangs on a row all the same, and a row on a unit.
    @Test func unitsBelowAndAbove() throws {
        let unit = guest("/dev/sdb1 /data ext4 defaults 0 2\n")
        unit.root.write(
            "/etc/systemd/system/local-fs.target.requires/data-sub.mount",
            "[Mount]\nWhat=UUID=\(fieldData)\nWhere=/data/sub\n")
        #expect(try unit.disk.plan("kvm").stop == .unitStopsBoot)
        let row = guest("UUID=\(fieldData) /data/sub ext4 defaults 0 2\n")
        row.root.write(
            "/etc/systemd/system/data.mount", "[Mount]\nWhat=/dev/sdb1\nWhere=/data\n")
        try row.disk.patch("kvm")
        #expect(row.rows == "UUID=\(fieldData) /data/sub ext4 defaults,nofail 0 2")
    }

    /// The boot goes on, and nobody knows how far: the files below the mount point are others.
    @Test(arguments: ["/var", "/usr", "/var/lib", "/etc", "/lib/modules"])
    func aTreeThatIsNotThere(_ place: String) throws {
        for row in [
            "/dev/sdb1 \(place) ext4 nofail 0 2",
            "UUID=77777777-1111-4111-8111-111111111111 \(place) xfs defaults,nofail,x-systemd.device-timeout=5 0 0",
        ] {
            let plan = try guest(row + "\n").disk.patch("kvm")
            guard plan.refusal == nil, case .oneMayNot(_, _, .treeMissing(place, _, _)) = plan.unknown else {
                Issue.record("\(row): \(String(describing: plan.unknown))")
                continue
            }
        }
        // What it works without already, and what a loader's next installation needs.
        for row in [
            "/dev/sdb1 \(place) ext4 noauto 0 2", "/dev/sdb1 /boot/efi vfat nofail 0 2",
            "/dev/sdb1 /home ext4 nofail 0 2",
        ] {
            #expect(try guest(row + "\n").disk.plan("kvm").outcome == .boots, "\(row)")
        }
    }

    /// The same by a unit that a target wants only.
    @Test func aTreeOfAUnit() throws {
        let guest = guest("")
        guest.root.write(
            "/etc/systemd/system/var.mount",
            "[Unit]\nBefore=local-fs.target\n[Mount]\nWhat=/dev/sdb1\nWhere=/var\n[Install]\nWantedBy=local-fs.target\n"
        )
        let plan = try guest.disk.patch("kvm")
        guard plan.refusal == nil, case .oneMayNot(_, _, .treeMissing("/var", "/dev/sdb1", _)) = plan.unknown
        else {
            Issue.record("\(String(describing: plan.unknown))")
            return
        }
        guest.root.write("/etc/systemd/system/var.mount", "[Mount]\nWhat=UUID=\(fieldData)\nWhere=/var\n")
        #expect(try guest.disk.plan("kvm").outcome == .boots)
    }
}
