import GuestTree
import Patcher
import Storage
import Testing

private let interfaces = "/etc/network/interfaces"
private let ifcfg = "/etc/sysconfig/network-scripts/ifcfg-ens192"
private let keyPath = "/etc/NetworkManager/system-connections/a.nmconnection"

/// The target gives a card another address: every row follows, or none.
@Suite struct NewAddressTests {
    private let rhel = [
        ifcfg: "DEVICE=ens192\nHWADDR=\"00:50:56:AA:BB:01\" # first\n",
        keyPath:
            "[connection]\ntype=ethernet\n[ethernet]\nmac-address=00:50:56:aa:bb:01\ncloned-mac-address=\(firstAddress)\n",
        "/etc/udev/rules.d/99-x.rules":
            "SUBSYSTEM==\"net\", ATTR{address}==\"\(firstAddress)\", NAME=\"ens192\"\r\n",
        "/etc/sysconfig/network-scripts/ifcfg-ens224": "DEVICE=ens224\nHWADDR=\(secondAddress)\n",
    ]

    @Test func allRowsFollow() throws {
        let guest = NetworkGuest(rhel, .rhel9)
        let changes = try guest.changes("kvm", [address("00-50-56-AA-BB-01", becomes: "52:54:00:ab:cd:ef")])
        #expect(
            changes == [
                ifcfg: "DEVICE=ens192\nHWADDR=\"52:54:00:AB:CD:EF\" # first\n",
                keyPath:
                    "[connection]\ntype=ethernet\n[ethernet]\nmac-address=52:54:00:ab:cd:ef\ncloned-mac-address=52:54:00:ab:cd:ef\n",
                "/etc/udev/rules.d/99-x.rules":
                    "SUBSYSTEM==\"net\", ATTR{address}==\"52:54:00:ab:cd:ef\", NAME=\"ens192\"\r\n",
                linkPath("ens224"): linkText("ens224", secondAddress),
            ])
        #expect(
            try !guest.plan(saying: [address(firstAddress, becomes: "52:54:00:ab:cd:ef")]).says(
                "HWADDR of ens192"))
        #expect(
            try guest.plan(saying: [address(firstAddress, becomes: "52:54:00:ab:cd:ef")]).says(
                "HWADDR of ens224"))
    }

    /// By the card's name the same rows follow, those too that name no card.
    @Test func byTheName() throws {
        let one = try NetworkGuest(rhel, .rhel9).changes("kvm", [card("ens192", has: newAddress)])
        let other = try NetworkGuest(rhel, .rhel9).changes(
            "kvm", [address(firstAddress, becomes: newAddress)])
        #expect(one == other && one.count == 4)
    }

    /// No row knows the card by an address: the one that it is given is what the user speaks of.
    @Test func anAddressThatARowSets() throws {
        let text = "auto ens192\niface ens192 inet dhcp\n    hwaddress ether \(firstAddress)\n"
        let changes = try NetworkGuest([interfaces: text]).changes(
            "kvm", [address(firstAddress, becomes: newAddress)])
        #expect(
            changes == [
                interfaces: text.replacing(firstAddress, with: newAddress),
                linkPath("ens192"): linkText("ens192", newAddress),
            ])
    }

    @Test func aBridgesAddressFollows() throws {
        let text =
            "iface ens192 inet manual\niface br0 inet dhcp\n    bridge_ports ens192\n    bridge_hw \(firstAddress)\n"
        let changes = try NetworkGuest([interfaces: text]).changes(
            "kvm", [address(firstAddress, becomes: newAddress)])
        #expect(changes[interfaces] == text.replacing(firstAddress, with: newAddress))
    }

    /// What is made of a card and has its address, or is made of nothing else, follows when the card is named.
    @Test(arguments: [
        [
            interfaces:
                "iface ens192 inet manual\niface br0 inet dhcp\n    bridge_ports ens192\n    bridge_hw OLD\n"
        ],
        [
            ifcfg: "DEVICE=ens192\nHWADDR=OLD\nBRIDGE=br0\n",
            "/etc/sysconfig/network-scripts/ifcfg-br0": "DEVICE=br0\nTYPE=Bridge\nMACADDR=OLD\n",
        ],
        [
            ifcfg: "DEVICE=ens192\nMASTER=bond0\nSLAVE=yes\n",
            "/etc/sysconfig/network-scripts/ifcfg-bond0": "DEVICE=bond0\nMACADDR=OLD\n",
        ],
        [
            "/etc/netplan/a.yaml":
                "network:\n  ethernets:\n    a: {match: {macaddress: OLD}, set-name: ens192}\n    ens224: {}\n  bonds:\n    bond0: {interfaces: [a, ens224], macaddress: OLD}\n"
        ],
        [
            "/etc/netplan/a.yaml":
                "network:\n  ethernets:\n    ens192: {dhcp4: no}\n  bridges:\n    br0: {interfaces: [ens192], macaddress: OLD}\n"
        ],
        [
            "/etc/systemd/network/a.network": "[Match]\nName=ens192\n[Network]\nBridge=br0\n",
            "/etc/systemd/network/b.netdev": "[NetDev]\nName=br0\nKind=bridge\nMACAddress=OLD\n",
        ],
        [
            keyPath:
                "[connection]\ntype=ethernet\ninterface-name=ens192\nmaster=11111111-aaaa-4111-8111-111111111111\n",
            "/etc/NetworkManager/system-connections/b.nmconnection":
                "[connection]\ntype=bridge\nuuid=11111111-AAAA-4111-8111-111111111111\ninterface-name=br0\n[bridge]\nmac-address=OLD\n",
        ],
        [
            "/etc/sysconfig/network/ifcfg-br0": "BRIDGE='yes'\nBRIDGE_PORTS='ens192'\nLLADDR='OLD'\n",
            "/etc/sysconfig/network/ifcfg-ens192": "BOOTPROTO='none'\n",
        ],
        [interfaces: "iface ens192 inet dhcp\n    hwaddress ether OLD\n"],
    ])
    func byTheNameWhatIsMadeOfItFollows(_ files: [String: String]) throws {
        let files = files.mapValues { $0.replacing("OLD", with: firstAddress) }
        let guest = NetworkGuest(files, .rhel9)
        let changes = try guest.changes("kvm", [card("ens192", has: newAddress)])
        for (path, text) in guest.root.files {
            #expect(!PatcherTests.text(text).contains(firstAddress), "\(path)")
        }
        #expect(
            changes.values.contains { $0?.contains("ens192") == true && $0?.contains(newAddress) == true })
    }

    /// A bond of two cards whose address is neither's by any file stays, and so does what a card was given beside its own.
    @Test func anAddressThatIsNobodys() throws {
        let bond =
            "network:\n  ethernets: {ens192: {}, ens224: {}}\n  bonds:\n    bond0: {interfaces: [ens192, ens224], macaddress: \(firstAddress)}\n"
        let guest = NetworkGuest(["/etc/netplan/a.yaml": bond], .ubuntu)
        #expect(try guest.plan(saying: [card("ens192", has: newAddress)]).says("macaddress of bond0"))
        #expect(
            try guest.changes("kvm", [card("ens192", has: newAddress)]) == [
                linkPath("ens192"): linkText("ens192", newAddress)
            ])
        let clone = NetworkGuest(
            [ifcfg: "DEVICE=ens192\nHWADDR=\(firstAddress)\nMACADDR=\(secondAddress)\n"], .rhel9)
        let text = try clone.changes("kvm", [card("ens192", has: newAddress)])[ifcfg]
        #expect(text == "DEVICE=ens192\nHWADDR=\(newAddress)\nMACADDR=\(secondAddress)\n")
    }

    /// A bond is no card: nothing is written, and the cards that it is made of are named.
    @Test(arguments: [
        [interfaces: "iface bond0 inet dhcp\n    bond-slaves ens192 ens224\n    hwaddress \(firstAddress)\n"],
        [
            "/etc/netplan/a.yaml":
                "network:\n  bonds:\n    bond0: {interfaces: [ens192, ens224], macaddress: \(firstAddress)}\n"
        ],
        ["/etc/systemd/network/b.netdev": "[NetDev]\nName=bond0\nKind=bond\nMACAddress=\(firstAddress)\n"],
    ])
    func aBondIsNoCard(_ files: [String: String]) throws {
        let plan = try NetworkGuest(files, .ubuntu).plan(saying: [card("bond0", has: newAddress)])
        #expect(plan.refusal?.code == .cardNotChanged && plan.actions.isEmpty)
        #expect(plan.refusal?.sentence.plain.contains("it is no card, but made by the guest") == true)
    }

    @Test func addressesThatChooseNothingAreSaid() throws {
        let guest = NetworkGuest(
            [
                keyPath:
                    "[connection]\ntype=ethernet\n[ethernet]\nmac-address-blacklist=\(firstAddress);\n[ipv4]\ndhcp-client-id=01:\(secondAddress)\n"
            ], .rhel9)
        #expect(try guest.plan().says("mac-address-blacklist"))
        #expect(try guest.plan().says("dhcp-client-id"))
    }

    /// cloud-init makes netplan's file anew from what the installer left it.
    @Test func theInstallersFileFollows() throws {
        let text =
            "network:\n  version: 2\n  ethernets:\n    ens160:\n      match: {macaddress: \"\(firstAddress)\"}\n      set-name: ens160\n"
        let files = [
            "/etc/netplan/50-cloud-init.yaml": text, "/etc/cloud/cloud.cfg.d/50-curtin-networking.cfg": text,
        ]
        let changes = try NetworkGuest(files, .ubuntu).changes(
            "kvm", [address(firstAddress, becomes: newAddress)])
        #expect(changes == files.mapValues { $0.replacing(firstAddress, with: newAddress) })
    }

    /// Amazon's releases before 2 have no systemd: eth0 stays.
    @Test(arguments: [("2018.03", false), ("2", true), ("2023", true)])
    func amazonsNames(_ version: String, _ areByPlace: Bool) throws {
        let guest = NetworkGuest([
            ifcfg.replacing("192", with: "0").replacing("ens", with: "eth"): "DEVICE=eth0\n"
        ])
        guest.root.write(
            "/etc/os-release",
            "NAME=\"Amazon Linux\"\nID=amzn\nVERSION_ID=\"\(version)\"\nPRETTY_NAME=\"Amazon Linux \(version)\"\n"
        )
        #expect(try guest.plan(asked: false).says("will have another name") == areByPlace)
    }

    /// Cards that exchange their addresses are told by their names.
    @Test func anExchange() throws {
        let guest = NetworkGuest(rhel, .rhel9)
        let changes = try guest.changes(
            "kvm", [card("ens192", has: secondAddress), card("ens224", has: firstAddress)])
        #expect(changes[ifcfg] == "DEVICE=ens192\nHWADDR=\"00:50:56:AA:BB:02\" # first\n")
        #expect(changes[linkPath("ens224")] == linkText("ens224", firstAddress))
    }

    @Test func aFileThatBearsTheAddress() throws {
        let folder = "/etc/sysconfig/network"
        let rule = "/etc/udev/rules.d/30-net_persistent_names.rules"
        let guest = NetworkGuest(
            [
                "\(folder)/ifcfg-eth-id-\(firstAddress)": "BOOTPROTO='static'\n",
                rule:
                    "SUBSYSTEM==\"net\", SYSFS{address}==\"\(firstAddress)\", IMPORT=\"/lib/udev/rename_netiface %k eth0\"\n",
            ], .suse10)
        #expect(try guest.changes() == [:])
        for words in [
            "ifcfg-eth-id-\(firstAddress): the file's name", "30-net_persistent_names.rules: SYSFS{address}",
        ] {
            #expect(try guest.plan(asked: false).says(words))
        }
        let changes = try guest.changes("kvm", [address(firstAddress, becomes: newAddress)])
        #expect(changes["\(folder)/ifcfg-eth-id-\(newAddress)"] == "BOOTPROTO='static'\n")
        #expect(changes["\(folder)/ifcfg-eth-id-\(firstAddress)"] == .some(nil))
        #expect(changes[rule].flatMap(\.self)?.contains(newAddress) == true && changes.count == 3)
    }

    @Test func theNewNameIsTaken() throws {
        let folder = "/etc/sysconfig/network"
        let guest = NetworkGuest(
            [
                "\(folder)/ifcfg-eth-id-\(firstAddress)": "A=1\n",
                "\(folder)/ifcfg-eth-id-\(newAddress)": "A=2\n",
                "/etc/udev/rules.d/30-net_persistent_names.rules":
                    "SUBSYSTEM==\"net\", SYSFS{address}==\"\(firstAddress)\", IMPORT=\"/lib/udev/rename_netiface %k eth0\"\n",
            ], .suse10)
        let plan = try guest.plan(saying: [address(firstAddress, becomes: newAddress)])
        #expect(plan.actions.isEmpty && plan.says("ifcfg-eth-id-\(newAddress) is there already"))
    }

    /// One place that cannot be changed keeps all others as they are.
    @Test func allOrNone() throws {
        let guest = NetworkGuest(rhel, .rhel9)
        guest.root.capabilities = Capabilities(changes: .contents, labelByteLimit: 16)
        let renamed = try guest.plan(saying: [address(firstAddress, becomes: newAddress)])
        // The rows of ens192 can be changed; a file for ens224 cannot be made.
        #expect(
            Set(renamed.actions.compactMap { $0.edit?.file.displayPath }) == [
                ifcfg, keyPath, "/etc/udev/rules.d/99-x.rules",
            ])
        #expect(renamed.says("the network card ens224 is left as it is in all files"))
        guest.root.capabilities = Capabilities(changes: .names, labelByteLimit: 16)
        let plan = try guest.plan(saying: [address(firstAddress, becomes: newAddress)])
        #expect(plan.says("the network card ens192 is left as it is in all files"))
        #expect(
            plan.actions.allSatisfy {
                if case .create(let place, _, _) = $0.kind {
                    place.path.displayText == linkPath("ens224")
                } else {
                    false
                }
            })
    }

    /// A file that is not read might hold the address too.
    @Test func aFileThatIsNotRead() throws {
        let guest = NetworkGuest(
            [
                "/etc/netplan/a.yaml":
                    "network:\n  ethernets:\n    ens192: !x\n      match: {macaddress: 00:50:56:AA:BB:01}\n",
                "/etc/systemd/network/10-x.link":
                    "[Match]\nMACAddress=\(firstAddress)\n[Link]\nName=ens192\n",
            ], .ubuntu)
        let plan = try guest.plan(saying: [address(firstAddress, becomes: newAddress)])
        #expect(plan.actions.isEmpty)
        #expect(plan.says("/etc/netplan/a.yaml has \(firstAddress) too", "a tag"))
        // Nor is it said to be nowhere, in whatever spelling.
        for text in ["00:50:56:AA:BB:01", "00-50-56-aa-bb-01"] {
            let alone = NetworkGuest(
                [
                    "/etc/netplan/a.yaml":
                        "network:\n  ethernets:\n    ens192: !x\n      match: {macaddress: \(text)}\n"
                ], .ubuntu)
            let refused = try alone.plan(saying: [address(firstAddress, becomes: newAddress)])
            #expect(
                refused.refusal?.sentence.plain.contains(
                    "/etc/netplan/a.yaml has the address, and is not read: line 3 has a tag") == true)
        }
        let nowhere = try NetworkGuest([:], .ubuntu).plan(saying: [address(firstAddress, becomes: newAddress)]
        )
        #expect(
            nowhere.refusal?.sentence.plain.contains("no file of the guest that is read holds the address")
                == true)
    }

    /// The driver that an alias of modprobe's gives a card is the old one's where the target's usual card has another.
    @Test func aliasesOfCards() throws {
        let guest = NetworkGuest(
            ["/etc/modprobe.d/net.conf": "alias eth0 bnx2\nalias eth1 virtio_net\n"], .debian12)
        let kvm = try guest.plan("kvm")
        #expect(kvm.says("the alias of eth0 names bnx2") && !kvm.says("virtio_net"))
        #expect(try guest.plan("hyperv").says("the alias of eth1 names virtio_net"))
    }

    // MARK: Contradictions

    /// Two files of one address: what is said of a card by its name holds for its own row, and a second run finds nothing to do.
    @Test func oneOfTwoCardsWithOneAddress() throws {
        let other = "/etc/sysconfig/network-scripts/ifcfg-ens193"
        let guest = NetworkGuest(
            [
                ifcfg: "DEVICE=ens192\nHWADDR=\(firstAddress)\n",
                other: "DEVICE=ens193\nHWADDR=\(firstAddress)\n",
            ], .rhel9)
        #expect(
            try guest.changes("kvm", [card("ens192", has: newAddress)]) == [
                ifcfg: "DEVICE=ens192\nHWADDR=\(newAddress)\n",
                linkPath("ens192"): linkText("ens192", newAddress),
                linkPath("ens193"): linkText("ens193", firstAddress),
            ])
    }

    @Test func bothOfTwoCardsWithOneAddress() throws {
        let other = "/etc/sysconfig/network-scripts/ifcfg-ens193"
        let guest = NetworkGuest(
            [
                ifcfg: "DEVICE=ens192\nHWADDR=\(firstAddress)\n",
                other: "DEVICE=ens193\nHWADDR=\(firstAddress)\n",
            ], .rhel9)
        #expect(
            try guest.changes(
                "kvm", [card("ens192", has: newAddress), card("ens193", has: secondAddress)]) == [
                    ifcfg: "DEVICE=ens192\nHWADDR=\(newAddress)\n",
                    other: "DEVICE=ens193\nHWADDR=\(secondAddress)\n",
                    linkPath("ens192"): linkText("ens192", newAddress),
                    linkPath("ens193"): linkText("ens193", secondAddress),
                ])
        // Both by the one address is no answer.
        let plan = try guest.plan(saying: [address(firstAddress, becomes: newAddress)])
        #expect(plan.actions.isEmpty)
    }

    /// netplan's own word for a card is no name: its address is to be given.
    @Test func aWordOfTheFilesOwn() throws {
        let guest = NetworkGuest(
            [
                "/etc/netplan/a.yaml":
                    "network:\n  ethernets:\n    lan: {match: {macaddress: \(firstAddress)}}\n"
            ],
            .ubuntu)
        let plan = try guest.plan(saying: [card("lan", has: newAddress)])
        #expect(plan.refusal?.code == .cardNotChanged && plan.actions.isEmpty)
        #expect(
            plan.refusal?.sentence.plain.contains(
                "with the address \(firstAddress): say that address instead")
                == true)
        #expect(try guest.changes("kvm", [address(firstAddress, becomes: newAddress)]).count == 1)
    }

    @Test func twoNamesForOneAddress() throws {
        let guest = NetworkGuest(
            [
                "/etc/udev/rules.d/70-persistent-net.rules": ruleText("eth0", firstAddress)
                    + ruleText("eth1", secondAddress),
                "/etc/udev/rules.d/99-lan.rules": ruleText("lan0", firstAddress),
            ], .debian12)
        #expect(try guest.changes() == [:])
        #expect(try guest.plan().says("\(firstAddress) would be both lan0 and eth0"))
        #expect(
            try guest.plan(asked: false).says(
                firstAddress, "gives the name lan0", about: "/etc/udev/rules.d/99-lan.rules"))
        // The other card is repaired all the same.
        #expect(try guest.changes("kvm", [address(secondAddress, becomes: newAddress)]).count == 1)
    }

    @Test func twoAddressesForOneName() throws {
        let guest = NetworkGuest(
            [
                ifcfg: "DEVICE=ens192\nHWADDR=\(firstAddress)\n",
                keyPath:
                    "[connection]\ntype=ethernet\ninterface-name=ens192\n[ethernet]\nmac-address=\(secondAddress)\n",
            ],
            .rhel9)
        let plan = try guest.plan()
        #expect(
            plan.actions.isEmpty
                && plan.says("its files give it different addresses, \(firstAddress) and \(secondAddress)"))
        // The user knows.
        #expect(try guest.changes("kvm", [card("ens192", has: newAddress)]).count == 3)
    }

    @Test func twoCardsForOneNewAddress() throws {
        let guest = NetworkGuest([interfaces: "iface ens192 inet dhcp\niface ens224 inet dhcp\n"], .debian12)
        let plan = try guest.plan(saying: [card("ens192", has: newAddress), card("ens224", has: newAddress)])
        #expect(plan.actions.isEmpty && plan.says("would be both"))
    }

    @Test func aNameAndAnAddressOfOneCard() throws {
        let guest = NetworkGuest([ifcfg: "DEVICE=ens192\nHWADDR=\(firstAddress)\n"], .rhel9)
        let plan = try guest.plan(saying: [
            card("ens192", has: newAddress), address(firstAddress, becomes: secondAddress),
        ])
        #expect(plan.actions.isEmpty && plan.says("two new addresses are given for ens192"))
    }

    @Test func whatNobodyKnowsIsSaid() throws {
        let guest = NetworkGuest([interfaces: "iface ens192 inet dhcp\n"], .debian12)
        let plan = try guest.plan(saying: [
            address(secondAddress, becomes: newAddress), card("ens256", has: firstAddress),
        ])
        #expect(plan.refusal?.code == .cardNotChanged && plan.actions.isEmpty)
        #expect(
            plan.refusal?.sentence.plain.contains("no file of the guest that is read holds the address")
                == true)
        // Where no file names any card, the name may be right.
        let bare = try NetworkGuest([:], .debian12).plan(saying: [card("ens256", has: firstAddress)])
        #expect(bare.says("no file of the guest that can be read names the card ens256"))
        #expect(bare.actions.count == 1 && bare.refusal == nil)
    }
}
