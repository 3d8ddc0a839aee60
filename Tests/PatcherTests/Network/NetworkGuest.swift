import Patcher
import Storage
import Testing

let firstAddress = "00:50:56:aa:bb:01"
let secondAddress = "00:50:56:aa:bb:02"
let newAddress = "52:54:00:12:34:56"

/// What release files of a guest say.
enum Release: String {
    case debian12 = "ID=debian\nVERSION_ID=12\n"
    case debian9 = "ID=debian\nVERSION_ID=9\n"
    case ubuntu = "ID=ubuntu\nVERSION_ID=\"22.04\"\n"
    case rhel9 = "ID=rhel\nVERSION_ID=9.3\n"
    case rhel6 = "NAME=CentOS\nID=centos\nVERSION_ID=6\n"
    case rhel5 = "ID=centos\nVERSION_ID=5\n"
    case sles11 = "ID=sles\nVERSION_ID=11.4\n"
    case sles15 = "ID=sles\nVERSION_ID=15.5\n"
    case suse10 = "ID=suse\nNAME=SLES\nVERSION_ID=10\n"
    case alpine = "ID=alpine\nVERSION_ID=3.19.0\n"
    case nobodyKnows = "ID=homemade\n"
}

/// A guest of one partition whose disk names need nothing, with files of its network.
struct NetworkGuest {
    var guest = TestGuest()
    let root: MemoryFileSystem

    init(_ files: [String: String], _ release: Release = .debian12, arguments: String = "") {
        root = guest.partition(1, .ext4, uuid: "11111111-1111-4111-8111-111111111111")
        root.write("/etc/os-release", release.rawValue)
        root.write("/etc/fstab", "UUID=11111111-1111-4111-8111-111111111111 / ext4 defaults 0 1\n")
        root.write(
            "/boot/grub/grub.cfg",
            "menuentry 'A' {\nlinux /boot/vmlinuz-6.1 root=UUID=11111111-1111-4111-8111-111111111111 ro \(arguments)\n"
                + "initrd /boot/initrd.img-6.1\n}\n")
        root.write("/boot/vmlinuz-6.1", "kernel")
        root.write("/boot/initrd.img-6.1", "-rom1fs-")
        for (path, text) in files { root.write(path, text) }
    }

    func network() throws -> GuestNetwork { try #require(try guest.survey().guests.first).network }

    func plan(_ target: String = "kvm", asked: Bool = true, saying statements: [AddressStatement] = []) throws
        -> Plan
    {
        try guest.plan(target, fix: asked || !statements.isEmpty ? [.net] : [], addresses: statements)
    }

    /// Carries the plan out; a second one has nothing to do. What changed, by path: nil where a file went.
    func changes(_ target: String = "kvm", _ statements: [AddressStatement] = []) throws -> [String: String?]
    {
        let before = root.files
        try guest.apply(try plan(target, saying: statements))
        let again = try plan(target, saying: statements)
        #expect(again.actions.map(\.reason) == [], "a second run must find nothing to do")
        let after = root.files
        var changes: [String: String?] = [:]
        for path in Set(before.keys).union(after.keys) where before[path] != after[path] {
            changes[path] = .some(after[path].map { text($0) })
        }
        return changes
    }
}

extension Plan {
    var sentences: [String] { advice.map { "\($0.path ?? "-"): \($0.message.plain)" } }

    /// What it says of a path, or of everything.
    func says(_ words: String..., about path: String? = nil) -> Bool {
        sentences.contains { sentence in
            (path.map { sentence.hasPrefix($0) } ?? true) && words.allSatisfy { sentence.contains($0) }
        }
    }
}

func linkText(_ name: String, _ address: String) -> String {
    "# The card with this address keeps the name that the files of this system know it by.\n"
        + "[Match]\nMACAddress=\(address)\nPath=*\n\n[Link]\nName=\(name)\n"
}

func ruleText(_ name: String, _ address: String) -> String {
    "SUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", ATTR{address}==\"\(address)\", ATTR{type}==\"1\", NAME=\"\(name)\"\n"
}

func linkPath(_ name: String) -> String { "/etc/systemd/network/05-name-\(name).link" }

func card(_ name: String, has address: String) throws -> AddressStatement {
    AddressStatement(card: .name(name), new: try #require(HardwareAddress(address)))
}

func address(_ old: String, becomes new: String) throws -> AddressStatement {
    AddressStatement(
        card: .address(try #require(HardwareAddress(old))), new: try #require(HardwareAddress(new)))
}
