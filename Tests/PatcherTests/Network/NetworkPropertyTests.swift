import GuestTree
import Patcher
import Storage
import TestSupport
import Testing

/// What holds for every family of files, target and statement.
@Suite struct NetworkPropertyTests {
    private static let corpus: [(files: [String: String], release: Release)] = {
        let scripts = "/etc/sysconfig/network-scripts"
        let suse = "/etc/sysconfig/network"
        return [
            (
                [
                    "\(scripts)/ifcfg-ens192": "DEVICE=ens192\nHWADDR=\(firstAddress)\n",
                    "\(scripts)/ifcfg-br0": "DEVICE=br0\nTYPE=Bridge\nHWADDR=\(firstAddress)\n",
                ], .rhel9
            ),
            (
                [
                    "\(scripts)/ifcfg-eth0": "DEVICE=eth0\nHWADDR=\(firstAddress)\n",
                    "/etc/udev/rules.d/70-persistent-net.rules": ruleText("eth0", firstAddress),
                ], .rhel6
            ),
            (["\(scripts)/ifcfg-eth0": "DEVICE=eth0\nHWADDR=\(firstAddress)\n"], .rhel5),
            (
                [
                    "\(suse)/ifcfg-eth-id-\(firstAddress)": "A=1\n",
                    "/etc/udev/rules.d/30-net_persistent_names.rules":
                        "SUBSYSTEM==\"net\", SYSFS{address}==\"\(firstAddress)\", IMPORT=\"/lib/udev/rename_netiface %k eth0\"\n",
                ], .suse10
            ),
            (
                [
                    "\(suse)/ifcfg-eth0": "LLADDR='\(firstAddress)'\n",
                    "/etc/wicked/ifconfig/a.xml":
                        "<interface><name namespace=\"ethernet\"><permanent-address>\(firstAddress)</permanent-address></name></interface>",
                ], .sles15
            ),
            (
                [
                    "/etc/NetworkManager/system-connections/a":
                        "[connection]\ntype=ethernet\ninterface-name=ens192\n[ethernet]\nmac-address=\(firstAddress)\ncloned-mac-address=\(secondAddress)\n"
                ], .rhel9
            ),
            (
                [
                    "/etc/netplan/a.yaml":
                        "network:\n  ethernets:\n    ens160: {match: {macaddress: \"\(firstAddress)\"}, set-name: ens160}\n    ens192: {}\n  bonds:\n    bond0:\n      interfaces: [ens160, ens192]\n      macaddress: \(firstAddress)\n"
                ], .ubuntu
            ),
            (
                [
                    "/etc/netplan/a.yaml":
                        "network:\n  ethernets:\n    first:\n      match:\n        macaddress: \(firstAddress)\n",
                    "/etc/netplan/b.yaml": "network: {ethernets: {ens192: *x}}\n# \(firstAddress)\n",
                ], .ubuntu
            ),
            (
                [
                    "/etc/systemd/network/10-a.network": "[Match]\nMACAddress=\(firstAddress)\n",
                    "/etc/systemd/network/10-a.link":
                        "[Match]\nMACAddress=\(firstAddress)\n[Link]\nName=ens192\n",
                ], .debian12
            ),
            (
                [
                    "/etc/network/interfaces":
                        "iface ens192 inet dhcp\n hwaddress ether \(firstAddress)\niface ens192:1 inet dhcp\niface br0 inet dhcp\n bridge_ports ens224\n"
                ], .debian12
            ),
            (
                [
                    "/etc/udev/rules.d/70-persistent-net.rules": ruleText("eth0", firstAddress),
                    "/etc/udev/rules.d/99-x.rules": ruleText("lan0", firstAddress),
                ], .debian9
            ),
            (
                [
                    "/etc/mactab": "lan0 \(firstAddress)\n",
                    "/etc/network/interfaces": "iface lan0 inet dhcp\n",
                ], .alpine
            ),
            // Two cards with one address, what is made of them, and a row that names none.
            (
                [
                    "\(scripts)/ifcfg-ens192": "DEVICE=ens192\nHWADDR=\(firstAddress)\nBRIDGE=br0\n",
                    "\(scripts)/ifcfg-ens193": "DEVICE=ens193\nHWADDR=\(firstAddress)\n",
                    "\(scripts)/ifcfg-br0": "DEVICE=br0\nTYPE=Bridge\nMACADDR=\(firstAddress)\n",
                    "/etc/NetworkManager/system-connections/a":
                        "[connection]\ntype=ethernet\n[ethernet]\nmac-address=\(firstAddress)\n",
                ], .rhel9
            ),
            (
                [
                    "/etc/netplan/a.yaml":
                        "network:\n  ethernets:\n    ens192: {match: {name: ens192, macaddress: \"\(firstAddress)\"}}\n    ens193: {match: {name: ens193, macaddress: \"\(firstAddress)\"}, macaddress: \(secondAddress)}\n"
                ], .ubuntu
            ),
            (
                [
                    "/etc/network/interfaces":
                        "auto /mac/\(firstAddress)=lan \\\n ens192\nrename mac/\(firstAddress)=lan0\niface lan inet dhcp\niface ens192 inet dhcp\n hwaddress \\\n \(firstAddress)\n"
                ], .debian12
            ),
        ]
    }()

    private static func statements() throws -> [[AddressStatement]] {
        [
            [], [try address(firstAddress, becomes: newAddress)], [try card("ens192", has: newAddress)],
            [try card("eth0", has: newAddress), try card("ens224", has: secondAddress)],
            [try address(firstAddress, becomes: firstAddress)],
            [try card("ens192", has: newAddress), try card("ens193", has: secondAddress)],
            [try card("ens193", has: firstAddress)], [try card("ens192", has: secondAddress)],
        ]
    }

    @Test(arguments: corpus.indices)
    func aSecondRunFindsNothing(_ index: Int) throws {
        let (files, release) = Self.corpus[index]
        for target in Target.all.map(\.name) {
            for statements in try Self.statements() {
                // `changes` plans again and expects nothing.
                _ = try NetworkGuest(files, release).changes(target, statements)
            }
        }
    }

    /// The old address is in no file any more, or in all that had it.
    @Test(arguments: corpus.indices)
    func allRowsOrNone(_ index: Int) throws {
        let (files, release) = Self.corpus[index]
        let guest = NetworkGuest(files, release)
        func holders() -> Int {
            guest.root.files.reduce(0) { count, file in
                count
                    + ((file.key + text(file.value)).split(
                        separator: firstAddress, omittingEmptySubsequences: false
                    ).count - 1)
            }
        }
        let before = holders()
        let changes = try guest.changes("kvm", [try address(firstAddress, becomes: newAddress)])
        #expect(holders() == 0 || holders() == before && changes.isEmpty, "\(changes.keys)")
    }

    /// Names of cards are never changed, and no file goes but for a new name.
    @Test(arguments: corpus.indices)
    func namesStay(_ index: Int) throws {
        let (files, release) = Self.corpus[index]
        let guest = NetworkGuest(files, release)
        let before = try guest.network().cards.map(\.name)
        _ = try guest.changes("hyperv", [])
        _ = try guest.changes("kvm", [try address(firstAddress, becomes: newAddress)])
        #expect(try guest.network().cards.map(\.name) == before)
    }

    /// Each row with an address is listed, asked or not, unless the user has said what it becomes.
    @Test(arguments: corpus.indices)
    func rowsAreListed(_ index: Int) throws {
        let (files, release) = Self.corpus[index]
        let guest = NetworkGuest(files, release)
        for asked in [true, false] {
            let plan = try guest.plan(asked: asked)
            for pin in try guest.network().facts.pins {
                #expect(plan.says(pin.text, about: pin.file.file.displayPath), "\(pin.setting)")
            }
        }
    }

    /// Whatever the files hold, nothing traps and edits are made of whole addresses.
    @Test(arguments: corpus.indices)
    func brokenFiles(_ index: Int) throws {
        let (files, release) = Self.corpus[index]
        let marks = Array("\"'\\ \t\n#={}[]<>/-:,".utf8)
        var random = SeededRandom(UInt64(index) &* 7919 &+ 1)
        for _ in 0..<60 {
            let guest = NetworkGuest([:], release)
            for (path, text) in files {
                var bytes = Array(text.utf8)
                for _ in 0..<3 where !bytes.isEmpty {
                    let place = Int.random(in: 0..<bytes.count, using: &random)
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                    case 1: bytes.removeSubrange(place...)
                    default: bytes.insert(marks[place % marks.count], at: place)
                    }
                }
                guest.root.write(path, bytes)
            }
            _ = try guest.changes("kvm", [try address(firstAddress, becomes: newAddress)])
        }
    }
}
