import Patcher
import Storage
import Testing

/// netplan's YAML: what is read, and what is refused by name.
@Suite struct NetplanTests {
    private func network(_ files: String...) throws -> GuestNetwork {
        var paths: [String: String] = [:]
        for (index, text) in files.enumerated() { paths["/etc/netplan/\(index).yaml"] = text }
        return try NetworkGuest(paths, .ubuntu).network()
    }

    private static let block = """
        # written by hand
        network:
          version: 2
          renderer: networkd
          ethernets:
            ens160: {dhcp4: false}
            "ens192":   # the second
              dhcp4: false
              addresses:
              - 192.0.2.5/24
              - "192.0.2.6/24"
            id0:
              match:
                macaddress: "00:50:56:AA:BB:01"
              set-name: lan0
              macaddress: 02:00:00:00:00:01
            any:
              match: {name: "en*"}
              dhcp4: true
          wifis: {}
          bonds:
            bond0:
              interfaces: [ens160,
                           ens192]   # both
              parameters: {mode: active-backup, primary: ens160}
          vlans:
            vlan10:
              id: 10
              link: ens224
          bridges:
            br0:
              interfaces:
                - bond0
                - id0
              dhcp4: true

        """

    @Test func blocksAndBrackets() throws {
        let network = try network(Self.block)
        #expect(network.facts.problems.isEmpty)
        #expect(network.cards.map(\.name) == ["ens160", "ens192", "ens224", "lan0"])
        #expect(network.facts.virtual == ["bond0", "br0", "vlan10"])
        let pins = network.facts.pins
        #expect(
            pins.map { "\($0.role) \($0.name ?? "-") \($0.text)" } == [
                "names lan0 00:50:56:AA:BB:01", "sets lan0 02:00:00:00:00:01",
            ])
        for pin in pins {
            let range = try #require(pin.range)
            #expect(text(Array(pin.file.bytes[range])) == pin.text)
        }
    }

    @Test func oneLine() throws {
        let network = try network(
            "{network: {version: 2, ethernets: {ens160: {match: {macaddress: 00:50:56:aa:bb:01}, dhcp4: true}, ens192: {}}}}\n"
        )
        #expect(network.facts.problems.isEmpty)
        #expect(network.cards.map(\.name) == ["ens192"])
        #expect(network.facts.pins.map(\.text) == [firstAddress])
        #expect(network.facts.pins.map(\.name) == [nil])
    }

    /// One file gives the match, another the name.
    @Test func filesCompleteEachOther() throws {
        let network = try network(
            "network:\n  ethernets:\n    ens192:\n      dhcp4: true\n",
            "network:\n  ethernets:\n    ens192:\n      match:\n        macaddress: \(firstAddress)\n      set-name: ens192\n"
        )
        #expect(network.cards.map(\.name) == ["ens192"])
        #expect(network.facts.pins.map(\.role) == [.names])
    }

    @Test func otherWaysOfWriting() throws {
        for text in [
            "---\nnetwork:\n  ethernets:\n    ens192: {}\n",
            "network:\r\n  ethernets:\r\n    ens192:\r\n      dhcp4: true\r\n",
            "network:\n    ethernets:\n        ens192:\n            dhcp4: yes\n...\n",
            "network:\n  ethernets:\n    'ens192':\n      dhcp4: true",
            "network: {ethernets: {ens192: {dhcp4: true,},},}\n",
            "network:\n  ethernets:\n    ens192:\n      # nothing yet\n  version: 2\n",
            "network:\n  wifis:\n    wlan0:\n      key: |\n        ens300:\n        &x\n  ethernets:\n    ens192: {}\n",
            "\u{FEFF}network:\n  ethernets:\n    ens192: ~\n",
            "network: # all\n  ethernets: # cards\n    ens192: # one\n      routes:\n        - to: default # x\n          via: fe80::1\n        -\n          to: 10.0.0.0/8\n",
        ] {
            let network = try network(text)
            #expect(network.facts.problems.map(\.reason) == [], "\(text)")
            #expect(network.cards.map(\.name) == ["ens192"], "\(text)")
        }
    }

    @Test(arguments: [
        ("network:\n  ethernets:\n    &a ens192: {}\n", "line 3 has an anchor (“&”) of a key"),
        (
            "network:\n  ethernets:\n    *a : {}\n",
            "line 3 has an alias (“*”) of nothing that stands before it"
        ),
        (
            "network:\n  ethernets:\n    ens192: *a\n",
            "line 3 has an alias (“*”) of nothing that stands before it"
        ),
        (
            "network:\n  ethernets:\n    ens192: &a {set-name: *a}\n",
            "line 3 has an alias (“*”) of nothing that stands before it"
        ),
        ("network:\n  ethernets:\n    - &a ens192: {}\n", "line 3 has an anchor before a key"),
        ("network:\n  ethernets: {ens192: & {}}\n", "line 2 has “&” or “*” without a name"),
        (
            "network:\n  ethernets:\n    ens192:\n      <<: {dhcp4: true}\n",
            "line 4 has a merged mapping (“<<”)"
        ),
        ("network:\n  ethernets: !!map\n    ens192: {}\n", "line 2 has a tag (“!”)"),
        ("network:\n\tethernets:\n", "line 2 has a tab before a word"),
        ("network:\n  ethernets: {ens192: {}\n", "line 2 has a bracket that is not closed"),
        (
            "network:\n  ethernets:\n    ens192: \"a\n      b\"\n",
            "line 3 has a quoted word over several lines"
        ),
        ("network:\n  renderer: net\n    workd\n", "line 3 has a word over several lines"),
        ("network:\n  a: {}\n  a: {}\n", "line 3 has the key “a” twice"),
        ("network:\n  ? a\n  : b\n", "line 2 has a key marked with “?”"),
        ("network: {}\n---\nnetwork: {}\n", "line 2 has several documents"),
        ("network:\n    a: {}\n  b: {}\n", "line 3 has a line whose indentation fits nothing"),
        ("network:\n  a: [b] c\n", "line 2 has words behind a value"),
        ("network:\n  ethernets\n  a: b\n", "line 3 has a word over several lines"),
        ("network: \(String(repeating: "[", count: 100))\n", "line 1 has more levels than any real file"),
    ])
    func refusals(_ text: String, _ reason: String) throws {
        let network = try network(text)
        #expect(network.facts.problems.map(\.reason) == [reason])
        #expect(network.cards.isEmpty)
        let plan = try NetworkGuest(["/etc/netplan/a.yaml": text], .ubuntu).plan()
        #expect(plan.actions.isEmpty)
        #expect(plan.says(reason, about: "/etc/netplan/a.yaml"))
    }

    /// As PyYAML, and with it cloud-init, writes what several cards have in common.
    @Test func anchorsAndAliases() throws {
        let text = """
            network:
              version: 2
              ethernets:
                ens192:
                  match: &id001
                    macaddress: \(firstAddress)
                  set-name: ens192
                  nameservers: &id002
                    addresses: [10.0.0.1]
                    search:
                    - &id003 example.org
                    - *id003
                  routes: &id004
                  - to: default
                    via: 10.0.0.1
                ens224:
                  match: {macaddress: &id005 "\(secondAddress)"}
                  macaddress: *id005
                  set-name: ens224
                  nameservers: *id002
                  routes: *id004

            """
        let network = try network(text)
        #expect(network.facts.problems.isEmpty && network.cards.map(\.name) == ["ens192", "ens224"])
        let guest = NetworkGuest(["/etc/netplan/50-cloud-init.yaml": text], .ubuntu)
        let after = text.replacing(firstAddress, with: newAddress)
        #expect(
            try guest.changes("kvm", [address(firstAddress, becomes: newAddress)])
                == ["/etc/netplan/50-cloud-init.yaml": after])
        // What is set and what is matched by stand in one place, and change there once.
        let second = NetworkGuest(["/etc/netplan/50-cloud-init.yaml": text], .ubuntu)
        #expect(
            try second.changes("kvm", [card("ens224", has: newAddress)])
                == ["/etc/netplan/50-cloud-init.yaml": text.replacing(secondAddress, with: newAddress)])
        // Two cards that an alias makes alike contradict each other.
        let alike = NetworkGuest(
            [
                "/etc/netplan/a.yaml":
                    "network:\n  ethernets:\n    ens192: &a\n      match: {macaddress: \(firstAddress)}\n    ens224: *a\n"
            ], .ubuntu)
        #expect(try alike.plan(saying: [address(firstAddress, becomes: newAddress)]).actions.count <= 1)
    }

    /// Nothing grows without bounds.
    @Test func aliasesOfAliases() throws {
        var text = "network:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<30 {
            let below = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "  a\(level): &a\(level) [\(below)]\n"
        }
        text += "  ethernets:\n    ens192: {addresses: *a29}\n"
        #expect(try network(text).cards.map(\.name) == ["ens192"])
        let many =
            "network:\n  a: &a b\n  c: [\(Array(repeating: "*a", count: 1001).joined(separator: ", "))]\n"
        #expect(try network(many).facts.problems.count == 1)
    }

    /// Any bytes are read or refused.
    @Test func brokenTexts() throws {
        let bytes = Array(Self.block.utf8)
        let marks = Array("\"'\\ \t\n#={}[],:-&*!|>?%@`~".utf8) + [0, 0xFF]
        for start in stride(from: 0, to: bytes.count, by: 5) {
            let damaged = bytes[..<start] + [marks[start % marks.count]] + bytes[start...]
            for text in [Array(bytes[..<start]), Array(damaged), Array(bytes[start...])] {
                let guest = NetworkGuest([:], .ubuntu)
                guest.root.write("/etc/netplan/a.yaml", text)
                for pin in try guest.network().facts.pins {
                    let range = try #require(pin.range)
                    #expect(text[range].elementsEqual(pin.text.utf8))
                }
            }
        }
    }
}
