import Patcher
import Storage
import Testing

let fieldRoot = "11111111-1111-4111-8111-111111111111"
let fieldData = "22222222-2222-4222-8222-222222222222"

/// One disk with a system on partition 1, started by GRUB 2 from a BIOS; its kernels 6.1.0-20 lie in /boot.
struct FieldGuest {
    var disk = TestGuest()
    let root: MemoryFileSystem

    init(_ files: [String: String] = [:], os: String = "ID=debian\nVERSION_ID=12\n") {
        disk.bootCode = [.grub2]
        root = disk.partition(1, .ext4, uuid: fieldRoot)
        root.write("/etc/os-release", os)
        root.write("/etc/fstab", "UUID=\(fieldRoot) / ext4 defaults 0 1\n")
        root.write("/boot/vmlinuz-6.1.0-20", "kernel")
        root.write("/boot/initrd.img-6.1.0-20", "-rom1fs-")
        root.write("/boot/grub/grub.cfg", "set default=0\n" + Self.entry("Debian"))
        for (path, contents) in files { root.write(path, contents) }
    }

    /// An entry of GRUB 2's menu.
    static func entry(_ title: String, _ root: String = "root=UUID=\(fieldRoot)", kernel: String = "6.1.0-20")
        -> String
    {
        "menuentry '\(title)' {\n\tlinux /boot/vmlinuz-\(kernel) \(root) ro\n\tinitrd /boot/initrd.img-\(kernel)\n}\n"
    }

    func text(_ path: String) -> String { PatcherTests.text(root.files[path]) }

    /// Adds rows to the fstab, plans and carries the plan out; a second plan must be empty.
    @discardableResult
    func patch(rows: String, _ target: String = "kvm", controller: Controller? = nil) throws -> Plan {
        root.write("/etc/fstab", "UUID=\(fieldRoot) / ext4 defaults 0 1\n" + rows)
        return try disk.patch(target, controller: controller)
    }

    /// The fstab behind the root's row.
    var rows: String {
        text("/etc/fstab").split(separator: "\n").dropFirst().joined(separator: "\n")
    }
}

extension Plan {
    /// The word of what stops the default entry.
    var stop: VerdictReason.Code? {
        guard case .cannot(let reason) = defaultVerdict?.outcome else { return nil }
        return reason.code
    }
}
