import Patcher
import Storage
import Testing

/// A label that is no word to GRUB or to a shell is not written.
@Suite struct LabelTests {
    @Test(arguments: [
        "a{b", "x;y", "a&b", "a|b", "a<b", "{}", "a(b", "a*", "a[b", "a=b", "a,b", "a~b", "a!b", "a b", "a#b",
        "$a",
    ])
    func noWord(_ label: String) throws {
        try check(label, isTaken: false)
    }

    @Test(arguments: ["root", "/", "/boot", "SWAP-sda3", "my.root_1", "cloudimg-rootfs", "a:b", "a+b", "a@b"])
    func aWord(_ label: String) throws {
        try check(label, isTaken: true)
    }

    private func check(_ label: String, isTaken: Bool) throws {
        var disk = TestGuest()
        disk.bootCode = [.grub2]
        let root = disk.partition(1, .ext4, uuid: fieldRoot, label: label)
        root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
        root.write("/etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n")
        root.write("/boot/grub/grub.cfg", "set default=0\n" + FieldGuest.entry("A", "root=/dev/sda1"))
        try disk.patch("kvm", names: .label)
        let menu = text(root.files["/boot/grub/grub.cfg"])
        #expect(menu.contains(isTaken ? "root=LABEL=\(label) " : "root=UUID=\(fieldRoot) "))
    }
}
