import Foundation
import TestSupport
import Testing

/// `--fix net` and `--mac`: cards keep their names.
@Suite(.enabled(if: Tool.has("e2fsck", "sfdisk", "mke2fs"), "judges are missing"))
struct NetworkNameTests {
    private static let link = "/etc/systemd/network/05-name-ens192.link"

    private func guest(_ directory: TemporaryDirectory) throws -> String {
        try Fixture.root(
            [
                "etc/os-release": "ID=rhel\nVERSION_ID=9.3\n",
                "etc/fstab": "/dev/root / ext3 defaults 0 0\n",
                "etc/sysconfig/network-scripts/ifcfg-ens192":
                    "DEVICE=ens192\nHWADDR=\"00:50:56:AA:BB:01\"\n",
                "etc/sysconfig/network-scripts/ifcfg-ens224": "DEVICE=ens224\n",
            ], in: directory)
    }

    /// The directories of the new file are made, both files in one; undo takes all of it back.
    @Test func theFileIsMade() throws {
        let directory = try TemporaryDirectory()
        let disk = try guest(directory)
        let before = try fileBytes(disk)
        let plan = try Fixture.diskgraft("plan", disk, "--to", "kvm").text
        #expect(plan.contains("HWADDR of ens192 is 00:50:56:AA:BB:01"))
        #expect(plan.contains("--fix net keeps it") && plan.contains("--mac ens224=ADDRESS keeps the name"))
        #expect(try fileBytes(disk) == before)
        let arguments = [
            "--to", "kvm", "--mac", "00-50-56-aa-bb-01=52:54:00:AB:cd:01", "--mac",
            "ens224=52:54:00:ab:cd:02",
        ]
        let done = try Tool.run(Fixture.command, ["patch", disk] + arguments).text
        #expect(done.contains("create \(Self.link)") && done.contains("05-name-ens224.link"))
        let text = try Fixture.diskgraft("cat", disk, Self.link).text
        #expect(text.contains("\nMACAddress=52:54:00:ab:cd:01\n") && text.contains("\nName=ens192\n"))
        #expect(
            try Fixture.diskgraft("cat", disk, "/etc/sysconfig/network-scripts/ifcfg-ens192").text
                == "DEVICE=ens192\nHWADDR=\"52:54:00:AB:CD:01\"\n")
        #expect(
            try Fixture.diskgraft("ls", disk, "/etc/systemd/network").text
                == "05-name-ens192.link\n05-name-ens224.link\n")
        let file = directory.path("volume")
        try Tool.run("dd", ["if=\(disk)", "of=\(file)", "bs=1M", "skip=1", "count=8", "status=none"])
        try Tool.run("e2fsck", ["-fn", file])
        #expect(try Tool.run(Fixture.command, ["patch", disk] + arguments).text.contains("nothing to do"))
        try Fixture.diskgraft("undo", disk)
        #expect(try fileBytes(disk) == before)
    }

    /// udev itself: the card gets the name, and a bridge that has its address does not.
    @Test(.enabled(if: Self.isJudgeThere, "no udevadm, or no network namespaces"))
    func theFileIsForCardsAlone() throws {
        let directory = try TemporaryDirectory()
        let disk = try guest(directory)
        try Tool.run(
            Fixture.command,
            [
                "patch", disk, "--to", "kvm", "--mac", "ens192=02:00:00:aa:bb:01", "--mac",
                "ens224=02:00:00:aa:bb:02",
            ])
        let file = directory.path("a.link")
        try Data(Fixture.diskgraft("cat", disk, Self.link).text.utf8).write(to: URL(filePath: file))
        let script = """
            mount -t sysfs none /sys && mkdir -p /run/udev/data /etc/systemd/network && mount -t tmpfs none /run/udev/data &&
            mount -t tmpfs none /etc/systemd/network && cp "$0" /etc/systemd/network/05-name-ens192.link &&
            ip link add br0 type bridge && ip link set br0 address 02:00:00:aa:bb:01 || exit 1
            number=$(cat /sys/class/net/br0/ifindex)
            udevadm test-builtin net_setup_link /sys/class/net/br0 2>/dev/null
            printf 'I:1\\nE:ID_PATH=pci-0000:00:03.0\\nV:1\\n' > /run/udev/data/n$number
            udevadm test-builtin net_setup_link /sys/class/net/br0 2>/dev/null
            """
        let names = try Tool.run("unshare", ["-n", "-m", "sh", "-c", script, file]).text
            .split(separator: "\n").filter { $0.hasPrefix("ID_NET_NAME=") }
        // The second one has what udev knows of a card: a place in the machine.
        #expect(names == ["ID_NET_NAME=br0", "ID_NET_NAME=ens192"])
    }

    private static let isJudgeThere =
        Tool.has("udevadm", "unshare", "ip")
        && ((try? Tool.run(
            "unshare", ["-n", "-m", "sh", "-c", "mount -t sysfs none /sys && ip link add br0 type bridge"]))?
            .status ?? 1) == 0

    @Test(arguments: [
        ("ens192", "--mac takes a card and its new address"),
        ("ens192=52:54:00:12:34", "is no network card's address"),
        ("ens192=01:00:5e:00:00:01", "is no network card's address"),
        ("ens192=00:00:00:00:00:00", "is no network card's address"),
        (
            "ens192.10=52:54:00:12:34:56",
            "is no card but made of one, and follows it: say the address of ens192"
        ),
        ("a card=52:54:00:12:34:56", "is neither a network card's name nor its old address"),
    ])
    func wrongStatements(_ statement: String, _ words: String) throws {
        let directory = try TemporaryDirectory()
        let disk = try guest(directory)
        let result = try Fixture.diskgraft("patch", disk, "--to", "kvm", "--mac", statement, expect: 64...64)
        #expect(result.errorText.contains(words), "\(result.errorText)")
    }

    @Test(arguments: [
        (["ens192=52:54:00:12:34:56", "ens192=52:54:00:12:34:57"], "two new addresses are given for ens192"),
        (
            ["00:50:56:aa:bb:01=52:54:00:12:34:56", "52:54:00:12:34:56=00:50:56:aa:bb:01"],
            "is given as an old and as a new address"
        ),
    ])
    func statementsThatContradict(_ statements: [String], _ words: String) throws {
        let directory = try TemporaryDirectory()
        let disk = try guest(directory)
        let result = try Tool.run(
            Fixture.command, ["plan", disk, "--to", "kvm"] + statements.flatMap { ["--mac", $0] },
            expect: 64...64)
        #expect(result.errorText.contains(words), "\(result.errorText)")
    }
}
