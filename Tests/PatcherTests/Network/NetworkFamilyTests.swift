import Patcher
import Storage
import Testing

private let scripts = "/etc/sysconfig/network-scripts"
private let connections = "/etc/NetworkManager/system-connections"

/// What each family of files says of cards.
@Suite struct NetworkFamilyTests {
    /// Names of the cards, and their rows with addresses as "name role address setting".
    private func facts(_ files: [String: String], _ release: Release = .debian12) throws -> (
        cards: [String], pins: [String], network: GuestNetwork
    ) {
        let network = try NetworkGuest(files, release).network()
        return (
            network.cards.map(\.name),
            network.facts.pins.map { "\($0.name ?? "-") \($0.role) \($0.address.text) \($0.setting)" },
            network
        )
    }

    @Test func ifcfgOfRedHat() throws {
        let found = try facts(
            [
                "\(scripts)/ifcfg-ens192":
                    "TYPE=Ethernet\nDEVICE=ens192\nHWADDR=\"00:50:56:AA:BB:01\"\nMASTER=bond0\n",
                "\(scripts)/ifcfg-Wired_1":
                    "TYPE=Ethernet\nNAME=\"Wired 1\"\nDEVICE=ens224\n# HWADDR=00:50:56:aa:bb:09\n",
                "\(scripts)/ifcfg-ens256.100": "DEVICE=ens256.100\nVLAN=yes\nONBOOT=yes\n",
                "\(scripts)/ifcfg-ens161:1": "DEVICE=ens161:1\nIPADDR=192.0.2.1\n",
                "\(scripts)/ifcfg-bond0": "DEVICE=bond0\nTYPE=Bond\nMACADDR=\(secondAddress)\n",
                "\(scripts)/ifcfg-br0": "DEVICE=br0\nTYPE=Bridge\n", "\(scripts)/ifcfg-lo": "DEVICE=lo\n",
                "\(scripts)/ifcfg-ens192.bak": "DEVICE=ens193\n",
                "\(scripts)/ifcfg-ens194~": "DEVICE=ens194\n",
            ], .rhel9)
        #expect(found.cards == ["ens161", "ens192", "ens224", "ens256"])
        #expect(
            found.pins.sorted() == [
                "bond0 sets 00:50:56:aa:bb:02 MACADDR", "ens192 matches 00:50:56:aa:bb:01 HWADDR",
            ])
        #expect(found.network.facts.virtual == ["bond0", "br0"])
    }

    @Test func ifcfgOfSUSE() throws {
        let folder = "/etc/sysconfig/network"
        let found = try facts(
            [
                "\(folder)/ifcfg-eth0": "BOOTPROTO='static'\nLLADDR='00:50:56:aa:bb:02'\n",
                "\(folder)/ifcfg-eth-id-00:50:56:aa:bb:01": "BOOTPROTO='dhcp'\n",
                "\(folder)/ifcfg-eth-bus-pci-0000:02:00.0": "BOOTPROTO='dhcp'\n",
                "\(folder)/ifcfg-br0": "BRIDGE='yes'\nBRIDGE_PORTS='eth1 vnet0'\n",
                "\(folder)/ifcfg-bond0":
                    "BONDING_MASTER='yes'\nBONDING_SLAVE0='eth2'\nBONDING_SLAVE1='eth3'\n",
                "\(folder)/ifcfg-vlan7": "ETHERDEVICE='eth4'\n",
            ], .sles15)
        #expect(found.cards == ["eth0", "eth1", "eth2", "eth3", "eth4"])
        #expect(
            Set(found.pins) == [
                "- matches 00:50:56:aa:bb:01 the file's name", "eth0 sets 00:50:56:aa:bb:02 LLADDR",
            ])
        #expect(found.network.facts.virtual == ["bond0", "br0", "vlan7"])
        #expect(
            found.network.facts.remarks.map(\.sentence.plain).contains { $0.contains("pci-0000:02:00.0") })
    }

    @Test func keyFiles() throws {
        let found = try facts(
            [
                "\(connections)/a.nmconnection":
                    "[connection]\nid=ens192\ntype=ethernet\ninterface-name=ens192\n\n[ethernet]\nmac-address=00:50:56:AA:BB:01\ncloned-mac-address=\(newAddress)\n",
                "\(connections)/Wired":
                    "[connection]\ntype=802-3-ethernet\n[802-3-ethernet]\nmac-address=\(secondAddress)\n",
                "\(connections)/v":
                    "[connection]\ntype=vlan\ninterface-name=vlan10\n[vlan]\nparent=ens224\nid=10\n",
                "\(connections)/b":
                    "[connection]\ntype=bond\ninterface-name=bond0\n[ethernet]\ncloned-mac-address=random\n",
                "\(connections)/m":
                    "[connection]\ntype=ethernet\n[match]\ninterface-name=ens25*;en*\npath=pci-0000:02:00.0\n",
                "\(connections)/c~": "[connection]\ntype=ethernet\ninterface-name=ens256\n",
            ], .rhel9)
        #expect(found.cards == ["ens192", "ens224"])
        #expect(
            Set(found.pins) == [
                "ens192 matches 00:50:56:aa:bb:01 mac-address",
                "ens192 sets 52:54:00:12:34:56 cloned-mac-address",
                "- matches 00:50:56:aa:bb:02 mac-address",
            ])
        #expect(found.network.facts.virtual == ["bond0", "vlan10"])
        #expect(found.network.facts.remarks.map(\.sentence.plain).contains { $0.contains("“ens25*”") })
        #expect(
            found.network.facts.remarks.map(\.sentence.plain).contains { $0.contains("pci-0000:02:00.0") })
    }

    /// NetworkManager 0.9 wrote addresses as six numbers: to be seen, not to be changed.
    @Test func anAddressThatCannotBeReadIsSaid() throws {
        let found = try facts([
            "\(connections)/a":
                "[connection]\ntype=ethernet\ninterface-name=ens192\n[ethernet]\nmac-address=0;80;86;170;187;1;\n"
        ])
        #expect(found.pins.isEmpty)
        #expect(
            found.network.facts.remarks.map(\.sentence.plain).contains { $0.contains("0;80;86;170;187;1;") })
    }

    @Test func networkd() throws {
        let folder = "/etc/systemd/network"
        let found = try facts([
            "\(folder)/10-a.network": "[Match]\nName=ens192\n\n[Network]\nBond=bond0\n",
            "\(folder)/10-b.network":
                "[Match]\nMACAddress=\(firstAddress) \(secondAddress)\n[Link]\nMACAddress=\(newAddress)\n",
            "\(folder)/10-c.network": "[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n",
            "\(folder)/10-d.network": "[Match]\nName=bond0\n[Network]\nVLAN=vlan10\n",
            "\(folder)/bond0.netdev": "[NetDev]\nName=bond0\nKind=bond\nMACAddress=00:50:56:aa:bb:07\n",
            "\(folder)/vlan10.netdev": "[NetDev]\nName=vlan10\nKind=vlan\n",
            "\(folder)/20-lan.link": "[Match]\nMACAddress=00:50:56:aa:bb:03\n[Link]\nName=lan0\n",
            "\(folder)/30-p.link": "[Match]\nPath=pci-0000:03:00.0\nDriver=vmxnet3\n[Link]\nName=wan0\n",
        ])
        #expect(found.cards == ["ens192", "lan0"])
        #expect(
            Set(found.pins) == [
                "- matches 00:50:56:aa:bb:01 MACAddress", "- matches 00:50:56:aa:bb:02 MACAddress",
                "- sets 52:54:00:12:34:56 MACAddress of [Link]", "bond0 sets 00:50:56:aa:bb:07 MACAddress",
                "lan0 names 00:50:56:aa:bb:03 MACAddress",
            ])
        let remarks = found.network.facts.remarks.map(\.sentence.plain)
        #expect(
            remarks.contains { $0.contains("pci-0000:03:00.0") }
                && remarks.contains { $0.contains("vmxnet3") })
    }

    @Test func ifupdown() throws {
        let found = try facts([
            "/etc/network/interfaces":
                "source /etc/network/interfaces.d/*\nauto lo ens192\niface lo inet loopback\niface ens192 inet static\n\thwaddress ether 00:50:56:AA:BB:01\n"
                + "auto ens192:1\niface ens192:1 inet static\n\naddress 192.0.2.3\nauto br0\niface br0 inet dhcp\n  bridge_ports ens224 vnet0\n"
                + "iface vlan5 inet manual\n  vlan-raw-device ens225\niface br1 inet manual\n  bridge_ports regex ens.*\n",
            "/etc/network/interfaces.d/b":
                "allow-hotplug ens256.7\niface bond0 inet manual\n  bond-slaves ens257 ens258\n",
        ])
        #expect(found.cards == ["ens192", "ens224", "ens225", "ens256", "ens257", "ens258"])
        #expect(found.pins == ["ens192 sets 00:50:56:aa:bb:01 hwaddress"])
        #expect(found.network.facts.virtual == ["bond0", "br0", "br1", "vlan5"])
    }

    /// A row goes on behind a backslash; comments do not begin in its midst, nor go on.
    @Test func ifupdownOverSeveralLines() throws {
        let found = try facts([
            "/etc/network/interfaces":
                "auto ens192 \\\n  ens224\n# auto ens1 \\\niface br0 inet dhcp\n  bridge_ports ens257 \\\n  ens258\n"
                + "iface ens224 inet dhcp\n  hwaddress \\\n \(firstAddress)\nauto ens259 \\"
        ])
        #expect(found.cards == ["ens192", "ens224", "ens257", "ens258", "ens259"])
        #expect(found.pins == ["ens224 sets \(firstAddress) hwaddress"])
        #expect(found.network.facts.ports.map(\.card).sorted() == ["ens257", "ens258"])
    }

    @Test func ifupdownsOtherNames() throws {
        let found = try facts([
            "/etc/network/interfaces":
                "auto ens224=lan\niface lan inet dhcp\n  hwaddress \(secondAddress)\nmapping ens225\n  script /x\n"
                + "auto /mac/00:50:56:AA:BB:01\niface mac/\(firstAddress) inet dhcp\nrename mac/\(newAddress)=lan0 ens226=wan\n"
                + "iface bond0 inet dhcp\n  bond-slaves none\nno-auto-down ens227\n"
        ])
        #expect(found.cards == ["ens224", "ens225", "ens226", "ens227", "lan0"])
        #expect(
            found.pins == [
                "ens224 sets \(secondAddress) hwaddress", "- matches \(firstAddress) auto mac/",
                "- matches \(firstAddress) iface mac/", "lan0 names \(newAddress) rename mac/",
            ])
        #expect(found.network.facts.ports.isEmpty)
    }

    /// The address of a choice follows in both rows, in each one's spelling.
    @Test func anAddressThatIfupdownChoosesBy() throws {
        let path = "/etc/network/interfaces"
        let guest = NetworkGuest([
            path: "auto /mac/00:50:56:AA:BB:01=lan\niface mac/\(firstAddress) inet dhcp\n"
        ])
        #expect(
            try guest.changes("kvm", [address(firstAddress, becomes: "52:54:00:ab:cd:ef")]) == [
                path: "auto /mac/52:54:00:AB:CD:EF=lan\niface mac/52:54:00:ab:cd:ef inet dhcp\n"
            ])
    }

    @Test(arguments: [
        ("source-directory /opt/ifs", true), ("source /etc/network/other/*", true),
        ("source /etc/network/interfaces.d/*", false), ("source interfaces.d/*.cfg", false),
        ("source-directory /run/network/interfaces.d", false),
    ])
    func filesElsewhere(_ row: String, _ isSaid: Bool) throws {
        let plan = try NetworkGuest(["/etc/network/interfaces": row + "\n"]).plan(asked: false)
        #expect(plan.says("nothing is read here", about: "/etc/network/interfaces") == isSaid)
    }

    /// A pattern that the new card's name may not fit is said, in every family; one that fits all such names is not.
    @Test(arguments: [
        ("ens*", "kvm", true), ("en*", "kvm", false), ("e*", "kvm", false), ("eth*", "kvm", true),
        ("en[sp]*", "kvm", false), ("en*", "hyperv", true), ("eth[0-9]", "hyperv", false),
        ("*", "kvm", false),
        ("[!l]*", "kvm", false), ("en?", "kvm", true),
    ])
    func patternsOfNames(_ pattern: String, _ target: String, _ isSaid: Bool) throws {
        for (path, text) in [
            ("/etc/systemd/network/a.network", "[Match]\nName=\(pattern)\n"),
            ("/etc/netplan/a.yaml", "network:\n  ethernets:\n    x: {match: {name: \"\(pattern)\"}}\n"),
            ("/etc/network/interfaces", "auto /\(pattern)\n"),
            (
                "\(connections)/a.nmconnection",
                "[connection]\ntype=ethernet\n[match]\ninterface-name=\(pattern);\n"
            ),
        ] {
            let plan = try NetworkGuest([path: text]).plan(target, asked: false)
            #expect(plan.says("“\(pattern)”", "may not fit", about: path) == isSaid, "\(path)")
        }
    }

    @Test func severalPatterns() throws {
        let path = "/etc/systemd/network/a.network"
        for (words, isSaid) in [("ens* enp*", false), ("ens* eth*", true), ("!ens*", false)] {
            let plan = try NetworkGuest([path: "[Match]\nName=\(words)\n"]).plan(asked: false)
            #expect(plan.says("may not fit", about: path) == isSaid, "\(words)")
        }
        let bridge = "iface br0 inet dhcp\n  bridge_ports regex ens26.* noregex ens257\n"
        let guest = NetworkGuest(["/etc/network/interfaces": bridge])
        #expect(try guest.plan(asked: false).says("bridge_ports regex “ens26.*”", "may not fit"))
        #expect(try guest.network().cards.map(\.name) == ["ens257"])
    }

    /// A driver's pattern is one of the old machine as its name is.
    @Test func aPatternOfDrivers() throws {
        let guest = NetworkGuest([
            "/etc/systemd/network/a.link": "[Match]\nDriver=vmxnet*\nPath=*\n[Link]\nMTUBytes=9000\n"
        ])
        #expect(try guest.plan(asked: false).says("Driver “vmxnet*”"))
        #expect(try !guest.plan(asked: false).says("Path “"))
    }

    @Test func udevRules() throws {
        let found = try facts([
            "/etc/udev/rules.d/70-persistent-net.rules":
                "# PCI device 0x15ad:0x07b0 (vmxnet3) \(secondAddress)\nSUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", ATTR{address}==\"\(firstAddress)\", ATTR{dev_id}==\"0x0\", ATTR{type}==\"1\", KERNEL==\"eth*\", NAME=\"eth0\"\n",
            "/etc/udev/rules.d/30-net_persistent_names.rules":
                "SUBSYSTEM==\"net\", ACTION==\"add\", SYSFS{address}==\"00:50:56:aa:bb:03\", IMPORT=\"/lib/udev/rename_netiface %k eth3\"\n",
            "/etc/udev/rules.d/99-lan.rules":
                "ACTION==\"add\", SUBSYSTEM==\"net\", \\\n  ATTR{address}==\"\(secondAddress)\", NAME=\"lan0\"\nKERNEL==\"eth*\", DRIVERS==\"vmxnet3\", NAME=\"wan0\"\n",
            "/etc/udev/rules.d/60-disk.rules": "KERNEL==\"sd*\", ENV{ID_SERIAL}==\"x\", NAME=\"disk\"\n",
        ])
        #expect(found.cards == ["eth0", "eth3", "lan0"])
        #expect(
            Set(found.pins) == [
                "eth0 names 00:50:56:aa:bb:01 ATTR{address}", "lan0 names 00:50:56:aa:bb:02 ATTR{address}",
                "eth3 names 00:50:56:aa:bb:03 SYSFS{address}",
            ])
        #expect(found.network.facts.remarks.map(\.sentence.plain).contains { $0.contains("vmxnet3") })
    }

    @Test func wicked() throws {
        let found = try facts(
            [
                "/etc/wicked/ifconfig/all.xml": """
                <?xml version="1.0"?>
                <!-- <interface><name>eth9</name></interface> -->
                <interface>
                  <name>eth0</name>
                  <ethernet><address>\(firstAddress)</address></ethernet>
                </interface>
                <interface>
                  <name>bond0</name>
                  <bond><mode>active-backup</mode><slaves><slave><device>eth1</device></slave></slaves></bond>
                </interface>
                <interface>
                  <name namespace="ethernet"><permanent-address>\(secondAddress)</permanent-address></name>
                  <ethernet><address>\(newAddress)</address></ethernet>
                  <ipv4:dhcp/>
                </interface>
                <interface>
                  <name>eth1</name>
                  <ethernet><permanent-address>00:50:56:aa:bb:03</permanent-address></ethernet>
                </interface>
                """,
                "/etc/wicked/ifconfig/broken.xml": "<interface><name>eth5</interface>",
            ], .sles15)
        #expect(found.cards == ["eth0", "eth1"])
        #expect(
            Set(found.pins) == [
                "eth0 sets 00:50:56:aa:bb:01 address", "- matches 00:50:56:aa:bb:02 permanent-address",
                // It is chosen by its address, and has no name here.
                "- sets \(newAddress) address", "eth1 matches 00:50:56:aa:bb:03 permanent-address",
            ])
        #expect(found.network.facts.problems.map(\.file.path) == ["/etc/wicked/ifconfig/broken.xml"])
    }

    @Test func tablesOfNameif() throws {
        let found = try facts([
            "/etc/mactab": "# names\nlan0 \(firstAddress)\n", "/etc/iftab": "eth1 mac \(secondAddress)\n",
        ])
        #expect(found.cards == ["eth1", "lan0"])
        #expect(
            Set(found.pins) == [
                "lan0 names 00:50:56:aa:bb:01 the row", "eth1 names 00:50:56:aa:bb:02 the row",
            ])
    }
}
