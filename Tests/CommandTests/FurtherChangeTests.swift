import Foundation
import TestSupport
import Testing

/// Changes that are no edits of a file: a label, names that start nothing.
@Suite(.enabled(if: Tool.has("e2fsck", "e2label", "sfdisk", "mke2fs"), "judges are missing"))
struct FurtherChangeTests {
    /// The root's file system, cut out of its disk and found sound.
    private func volume(_ disk: String, _ directory: TemporaryDirectory) throws -> String {
        let file = directory.path("volume")
        try Tool.run(
            "dd", ["if=\(disk)", "of=\(file)", "bs=1M", "skip=1", "count=8", "status=none"])
        try Tool.run("e2fsck", ["-fn", file])
        return file
    }

    /// The initrd of RHEL 4 knows labels alone, and the root has none.
    @Test func aLabelIsWritten() throws {
        let directory = try TemporaryDirectory()
        let disk = try Fixture.root(
            [
                "etc/redhat-release": "Red Hat Enterprise Linux ES release 4 (Nahant)\n",
                "etc/fstab": "/dev/sda1 / ext3 defaults 1 1\n",
                "boot/grub/grub.conf":
                    "title A\nkernel /boot/vmlinuz-2.6.9-5.EL ro root=/dev/sda1\ninitrd /boot/initrd-2.6.9-5.EL.img\n",
            ], in: directory)
        let plan = try Fixture.diskgraft("patch", disk, "--to", "hyperv").text
        #expect(plan.contains("set label dgp1"))
        #expect(try Tool.run("e2label", [try volume(disk, directory)]).text == "dgp1\n")
        #expect(try Fixture.diskgraft("cat", disk, "/boot/grub/grub.conf").text.contains("root=LABEL=dgp1\n"))
        #expect(try Fixture.diskgraft("patch", disk, "--to", "hyperv").text.contains("nothing to do"))
        try Fixture.diskgraft("undo", disk)
        #expect(try Tool.run("e2label", [try volume(disk, directory)]).text == "\n")
    }

    @Test func toolsAreDisabledReversibly() throws {
        let directory = try TemporaryDirectory()
        let disk = try Fixture.root(
            [
                "etc/redhat-release": "CentOS release 5.6 (Final)\n",
                "etc/fstab": "/dev/root / ext3 defaults 1 1\n",
                "etc/vmware-tools/locations": "", "etc/rc.d/rc3.d/S03vmware-tools": "",
                "etc/rc.d/rc3.d/S10network": "",
                "etc/systemd/system/multi-user.target.wants/vmtoolsd.service": "",
            ], in: directory)
        let before = try fileBytes(disk)
        #expect(try Fixture.diskgraft("plan", disk, "--to", "kvm").text.contains("VMware Tools"))
        try Fixture.diskgraft("patch", disk, "--to", "kvm", "--disable-tools")
        _ = try volume(disk, directory)
        #expect(
            try Fixture.diskgraft("ls", disk, "/etc/rc.d/rc3.d").text
                == "S10network\ndisabled-S03vmware-tools\n")
        #expect(
            try Fixture.diskgraft("ls", disk, "/etc/systemd/system/multi-user.target.wants").text
                == "vmtoolsd.service.disabled\n")
        #expect(
            try Fixture.diskgraft("patch", disk, "--to", "kvm", "--disable-tools").text.contains(
                "nothing to do"))
        try Fixture.diskgraft("undo", disk)
        #expect(try fileBytes(disk) == before)
    }

    @Test func onlyAndSkipByName() throws {
        let directory = try TemporaryDirectory()
        let disk = try Fixture.root(
            [
                "etc/os-release": "ID=debian\nVERSION_ID=12\n",
                "etc/fstab": "/dev/sda1 / ext4 defaults 0 1\nshare /mnt vmhgfs defaults 0 0\n",
            ], in: directory)
        func plan(_ arguments: String...) throws -> String {
            try Tool.run(Fixture.command, ["plan", disk, "--to", "virtualbox"] + arguments).text
        }
        #expect(
            try plan("--only", "names").contains("+UUID=") && !plan("--only", "names").contains("+#share"))
        #expect(
            try plan("--skip", "names").contains("+#share") && !plan("--skip", "names").contains("+UUID="))
        #expect(try plan("--skip", "names,dead-rows").contains("nothing to do"))
        for option in ["--only", "--skip", "--fix"] {
            let result = try Fixture.diskgraft("patch", disk, "--to", "kvm", option, "namen", expect: 64...64)
            #expect(result.errorText.contains("there is no repair \"namen\""))
        }
    }
}
