import Patcher
import Storage
import Testing

private let interfaces = "/etc/network/interfaces"
private let netplan = "/etc/netplan/a.yaml"
private let ifcfg = "/etc/sysconfig/network-scripts/ifcfg-ens192"
private let rules = "/etc/udev/rules.d/70-persistent-net.rules"

/// A card keeps its name, by its address: all of it, or nothing.
@Suite struct KeptNameTests {
    private let keyFile =
        "[connection]\nid=ens192\ntype=ethernet\ninterface-name=ens192\n\n[ethernet]\nmac-address=00:50:56:AA:BB:01\n"

    @Test func aLinkFileHoldsTheName() throws {
        let path = "/etc/NetworkManager/system-connections/ens192.nmconnection"
        let guest = NetworkGuest([path: keyFile], .rhel9)
        #expect(try guest.changes() == [linkPath("ens192"): linkText("ens192", firstAddress)])
        #expect(try guest.plan().says("00:50:56:AA:BB:01", about: path))
    }

    /// What holds already needs no file: netplan's match with set-name, a .link file, a rule.
    @Test func whatHoldsAlreadyIsLeftAlone() throws {
        for files in [
            [
                netplan:
                    "network:\n  ethernets:\n    ens192:\n      match:\n        macaddress: \(firstAddress)\n      set-name: ens192\n"
            ],
            [
                "/etc/systemd/network/10-x.link":
                    "[Match]\nMACAddress=\(firstAddress)\n[Link]\nName=ens192\n",
                interfaces: "iface ens192 inet dhcp\n",
            ],
            [rules: ruleText("ens192", firstAddress), interfaces: "iface ens192 inet dhcp\n"],
        ] {
            let guest = NetworkGuest(files, .ubuntu)
            #expect(try guest.changes() == [:])
            #expect(try guest.plan(asked: false).says(firstAddress, "the new card must have that address"))
            #expect(try !guest.plan(asked: false).says("another name"))
        }
    }

    /// A rule that asks for the old machine's driver will not fit the new card.
    @Test func aRuleOfTheOldMachineDoesNotHold() throws {
        let guest = NetworkGuest(
            [
                "/etc/udev/rules.d/99-x.rules":
                    "SUBSYSTEM==\"net\", DRIVERS==\"vmxnet3\", ATTR{address}==\"\(firstAddress)\", NAME=\"ens192\"\n"
            ], .ubuntu)
        #expect(try guest.changes() == [linkPath("ens192"): linkText("ens192", firstAddress)])
        #expect(try guest.plan().says("DRIVERS", "vmxnet3"))
    }

    /// Nor does a .link file: all of [Match] must fit.
    @Test(arguments: [
        ("Driver=vmxnet3", false), ("Driver=vmxnet3 e1000*", false), ("Path=pci-0000:0b:00.0", false),
        ("OriginalName=ens160", false), ("Property=ID_PATH=pci-0000:0b:00.0", false),
        ("Virtualization=vmware", false), ("Driver=virtio_net", true), ("Driver=virtio*", true),
        ("Driver=!vmxnet3", true), ("Driver=!virtio*", false), ("Driver=!e1000 virtio_net", false),
        ("Driver=vmxnet3 *", true), ("Driver=* vmxnet3", true), ("Driver=bnx2 virtio_net", true),
        ("Path=*", true), ("OriginalName=eth*", true),
        ("Virtualization=yes", true),
        ("Host=web01", true), ("Type=ether", true), ("Type=ether wlan", true), ("Type=!wlan", true),
    ])
    func aLinkFileOfTheOldMachineDoesNotHold(_ match: String, _ holds: Bool) throws {
        let path = "/etc/systemd/network/10-eth0.link"
        let link = "[Match]\nMACAddress=\(firstAddress)\n\(match)\n[Link]\nName=lan0\n"
        let files = [path: link, netplan: "network:\n  ethernets:\n    lan0: {dhcp4: true}\n"]
        let kept = NetworkGuest(files, .ubuntu)
        let said = try kept.plan(asked: false)
        #expect(said.says("gives the name lan0", about: path) == holds)
        #expect(said.says("which the new card will not have", about: path) != holds)
        let moved = NetworkGuest(files, .ubuntu)
        let row = link.replacing(firstAddress, with: newAddress)
        #expect(
            try moved.changes("kvm", [address(firstAddress, becomes: newAddress)])
                == (holds ? [path: row] : [path: row, linkPath("lan0"): linkText("lan0", newAddress)]))
    }

    /// Settings that ask for the old driver or slot hold for no card, whatever name and address it has.
    @Test(arguments: [
        (
            netplan,
            "network:\n  ethernets:\n    eth0:\n      dhcp4: true\n      set-name: eth0\n      match: {driver: DRIVER, macaddress: \(firstAddress)}\n"
        ),
        (
            "/etc/systemd/network/10-a.network",
            "[Match]\nName=eth0\nMACAddress=\(firstAddress)\nDriver=DRIVER\n[Network]\nDHCP=yes\n"
        ),
        (
            "/etc/NetworkManager/system-connections/a.nmconnection",
            "[connection]\ntype=ethernet\ninterface-name=eth0\n[ethernet]\nmac-address=\(firstAddress)\n[match]\ndriver=DRIVER;\n"
        ),
    ])
    func settingsOfTheOldMachineAreLeftAlone(_ path: String, _ file: String) throws {
        let azure = NetworkGuest([path: file.replacing("DRIVER", with: "hv_netvsc")], .ubuntu)
        for statement in [try address(firstAddress, becomes: newAddress), try card("eth0", has: newAddress)] {
            let plan = try azure.plan("kvm", saying: [statement])
            #expect(plan.refusal?.code == .cardNotChanged && plan.actions.isEmpty)
            #expect(plan.refusal?.sentence.plain.contains("hv_netvsc") == true)
            #expect(plan.says(path, "hv_netvsc", "take that out there", about: path))
            // There the card has that driver.
            let staying = try azure.plan("hyperv", saying: [statement])
            #expect(staying.refusal == nil && !staying.actions.isEmpty)
            #expect(!staying.says("will not fit"))
        }
        #expect(try azure.plan("kvm").actions.isEmpty)
        #expect(try azure.plan("kvm").refusal == nil)
        let virtio = NetworkGuest([path: file.replacing("DRIVER", with: "virtio_net")], .ubuntu)
        #expect(try !virtio.changes("kvm", [address(firstAddress, becomes: newAddress)]).isEmpty)
    }

    /// What is not to fit may well not: the settings hold there. What forbids the target's own driver does not.
    @Test(arguments: [
        (
            netplan, "network:\n  ethernets:\n    x:\n      match: {name: eth0, driver: DRIVER}\n",
            ["'!hv_netvsc'", "[vmxnet3, '*']", "['!vmxnet3', hv_netvsc]"], "['!hv_netvsc', tulip]"
        ),
        (
            "/etc/systemd/network/10-a.network", "[Match]\nName=eth0\nDriver=DRIVER\n[Network]\nDHCP=yes\n",
            ["!hv_netvsc", "!hv_netvsc vmxnet3", "vmxnet3 *"], "!tulip hv_*"
        ),
        (
            "/etc/NetworkManager/system-connections/a.nmconnection",
            "[connection]\ntype=ethernet\ninterface-name=eth0\n[match]\ndriver=DRIVER;\n",
            ["!hv_netvsc", "|vmxnet3;|virtio*", "&!hv_netvsc;|virtio_net"], "!hv_netvsc;!tulip"
        ),
    ])
    func driversThatAreNotToFit(_ path: String, _ file: String, _ holding: [String], _ missing: String) throws
    {
        for driver in holding {
            let guest = NetworkGuest([path: file.replacing("DRIVER", with: driver)], .debian12)
            let plan = try guest.plan("kvm", saying: [try card("eth0", has: newAddress)])
            #expect(plan.refusal == nil && !plan.says("will not fit"), "\(driver)")
        }
        let guest = NetworkGuest([path: file.replacing("DRIVER", with: missing)], .debian12)
        let plan = try guest.plan("hyperv", saying: [try card("eth0", has: newAddress)])
        #expect(plan.refusal?.code == .cardNotChanged)
    }

    /// Settings of radios are none of a card's that a hypervisor gives, whatever name and address they have.
    @Test(arguments: ["wlan", "wlan wwan", "!ether", "!ether bond"])
    func settingsOfOtherTypes(_ type: String) throws {
        let files = [
            "/etc/systemd/network/10-a.link":
                "[Match]\nMACAddress=\(firstAddress)\nType=\(type)\n[Link]\nName=lan0\n",
            interfaces: "iface lan0 inet dhcp\n",
        ]
        let guest = NetworkGuest(files, .debian12)
        let plan = try guest.plan("kvm", asked: false)
        #expect(!plan.says("gives the name lan0"))
        let moved = NetworkGuest(files, .debian12)
        #expect(
            try moved.changes("kvm", [card("lan0", has: newAddress)])
                == [linkPath("lan0"): linkText("lan0", newAddress)])
        let radio = NetworkGuest(
            ["/etc/systemd/network/10-w.network": "[Match]\nType=\(type)\nName=eth0\n[Network]\nDHCP=yes\n"],
            .debian12)
        #expect(try radio.network().cards.isEmpty)
    }

    @Test func withoutAnAddressNothingIsChanged() throws {
        let guest = NetworkGuest(
            [netplan: "network:\n  ethernets:\n    ens192: {}\n    ens224: {}\n"], .ubuntu)
        for target in ["kvm", "hyperv", "vmware", "gcp"] {
            #expect(try guest.changes(target) == [:])
            for name in ["ens192", "ens224"] {
                #expect(
                    try guest.plan(target).says(
                        "the network card \(name) ", "its address is in no file",
                        "stating the new address of \(name)",
                        about: netplan))
                #expect(try guest.plan(target, asked: false).says("the network card \(name) "))
            }
        }
        #expect(
            try guest.changes("kvm", [card("ens192", has: newAddress)])
                == [linkPath("ens192"): linkText("ens192", newAddress)])
        #expect(try guest.plan().says("the network card ens224 "))
    }

    /// Nothing is written unless asked.
    @Test func unasked() throws {
        let guest = NetworkGuest([ifcfg: "DEVICE=ens192\nHWADDR=\(firstAddress)\n"], .rhel9)
        let plan = try guest.plan(asked: false)
        #expect(plan.actions.isEmpty)
        #expect(plan.says("ens192", "the repair “net” keeps it", firstAddress, about: ifcfg))
        #expect(plan.says("HWADDR of ens192 is \(firstAddress)", about: ifcfg))
    }

    // MARK: Which file

    @Test(arguments: [Release.debian12, .ubuntu, .rhel9, .sles15])
    func newSystemsGetLinkFiles(_ release: Release) throws {
        let guest = NetworkGuest([interfaces: "iface ens192 inet dhcp\n"], release)
        #expect(
            try guest.changes("kvm", [card("ens192", has: newAddress)]).keys.sorted() == [linkPath("ens192")])
    }

    @Test(arguments: [Release.debian9, .rhel6, .sles11])
    func oldSystemsGetRules(_ release: Release) throws {
        let guest = NetworkGuest([interfaces: "iface ens192 inet dhcp\niface ens224 inet dhcp\n"], release)
        #expect(
            try guest.changes("kvm", [card("ens192", has: firstAddress), card("ens224", has: secondAddress)])
                == [rules: ruleText("ens192", firstAddress) + ruleText("ens224", secondAddress)])
    }

    /// A file that is there is gone on with, whatever the version.
    @Test(arguments: ["", "# rules", "# rules\n"])
    func aRulesFileIsGoneOnWith(_ head: String) throws {
        let guest = NetworkGuest([rules: head, interfaces: "iface ens192 inet dhcp\n"], .ubuntu)
        let line = ruleText("ens192", newAddress)
        #expect(
            try guest.changes("kvm", [card("ens192", has: newAddress)])
                == [rules: head.hasSuffix("\n") || head.isEmpty ? head + line : head + "\n" + line])
    }

    @Test func systemdTellsItsVersion() throws {
        for (version, path) in [(237, rules), (249, linkPath("ens192"))] {
            let guest = NetworkGuest(
                [
                    interfaces: "iface ens192 inet dhcp\n",
                    "/usr/lib/systemd/libsystemd-shared-\(version).so": "",
                ], .ubuntu)
            #expect(try guest.changes("kvm", [card("ens192", has: newAddress)]).keys.sorted() == [path])
        }
        let unknown = NetworkGuest(
            [interfaces: "iface ens192 inet dhcp\n", "/usr/lib/systemd/network/99-default.link": ""],
            .nobodyKnows)
        #expect(
            try unknown.changes("kvm", [card("ens192", has: newAddress)]).keys.sorted() == [
                linkPath("ens192")
            ])
    }

    @Test(arguments: [Release.suse10, .rhel5, .alpine, .nobodyKnows])
    func noUdevThatCouldBeTold(_ release: Release) throws {
        let guest = NetworkGuest([interfaces: "iface ens192 inet dhcp\n"], release)
        let plan = try guest.plan(saying: [card("ens192", has: newAddress)])
        #expect(plan.actions.isEmpty)
        #expect(plan.says("the network card ens192 is left as it is in all files: ", "udev"))
    }

    /// Somebody has put a link to /dev/null, or a directory, in the rules' place.
    @Test func aRulesFileThatIsNone() throws {
        let guest = NetworkGuest([interfaces: "iface ens192 inet dhcp\n"], .debian9)
        guest.root.makeDirectory(rules)
        let plan = try guest.plan(saying: [card("ens192", has: newAddress)])
        #expect(plan.actions.isEmpty && plan.says("70-persistent-net.rules is there"))
    }

    @Test func anEarlierLinkFileWouldCount() throws {
        for name in ["00-all.link", "04-x.link"] {
            let guest = NetworkGuest(
                [
                    "/etc/systemd/network/\(name)": "[Match]\nDriver=virtio_net\n[Link]\nMTUBytes=9000\n",
                    interfaces: "iface ens192 inet dhcp\n",
                ], .debian12)
            let plan = try guest.plan(saying: [card("ens192", has: newAddress)])
            #expect(plan.actions.isEmpty && plan.says(name, "only the first such file counts"))
        }
        let later = NetworkGuest(
            [
                "/etc/systemd/network/99-default.link": "[Match]\nOriginalName=*\n[Link]\nNamePolicy=path\n",
                "/etc/systemd/network/01-other.link":
                    "[Match]\nMACAddress=\(secondAddress)\n[Link]\nName=lan0\n",
                interfaces: "iface ens192 inet dhcp\n",
            ], .debian12)
        #expect(try later.changes("kvm", [card("ens192", has: newAddress)]).count == 1)
    }

    /// Settings of this very card would be lost behind a second file.
    @Test func aLinkFileOfTheCardWithoutItsName() throws {
        let guest = NetworkGuest(
            [
                "/etc/systemd/network/50-w.link":
                    "[Match]\nMACAddress=\(firstAddress)\n[Link]\nWakeOnLan=magic\n",
                ifcfg: "DEVICE=ens192\nHWADDR=\(firstAddress)\n",
            ], .rhel9)
        let plan = try guest.plan()
        #expect(plan.actions.isEmpty && plan.says("50-w.link fits the card too"))
    }

    // MARK: Names of the kernel

    @Test func kernelNamesStayWhereNothingChangesThem() throws {
        let files = [interfaces: "iface eth0 inet dhcp\niface eth1 inet dhcp\n"]
        for (release, target, arguments, changes) in [
            (Release.debian12, "kvm", "", true), (.debian12, "hyperv", "", false),
            (.debian12, "xenserver", "", false),
            (.debian12, "kvm", "net.ifnames=0", false), (.sles11, "kvm", "", false),
        ] {
            let guest = NetworkGuest(files, release, arguments: arguments)
            let plan = try guest.plan(target, asked: false)
            #expect(
                plan.says("the network card eth0 will have another name") == changes, "\(release) \(target)")
            #expect(plan.says("attach them in their order") != changes, "\(release) \(target)")
        }
        let guest = NetworkGuest(files, .debian12)
        let plan = try guest.plan(saying: [card("eth0", has: firstAddress), card("eth1", has: secondAddress)])
        #expect(plan.actions.count == 2 && plan.says("cards cannot exchange"))
    }

    /// Red Hat's old scripts name a card by HWADDR.
    @Test func oldScriptsNameByHWADDR() throws {
        let guest = NetworkGuest(
            ["/etc/sysconfig/network-scripts/ifcfg-eth0": "DEVICE=eth0\nHWADDR=\(firstAddress)\n"], .rhel5)
        #expect(try guest.changes() == [:])
        #expect(
            try guest.changes("kvm", [card("eth0", has: newAddress)])
                == ["/etc/sysconfig/network-scripts/ifcfg-eth0": "DEVICE=eth0\nHWADDR=\(newAddress)\n"])
    }

    /// A name that is an address tells it.
    @Test func aNameThatIsAnAddress() throws {
        let guest = NetworkGuest([interfaces: "iface enx005056aabb01 inet dhcp\n"], .debian12)
        #expect(
            try guest.changes() == [linkPath("enx005056aabb01"): linkText("enx005056aabb01", firstAddress)])
    }
}
