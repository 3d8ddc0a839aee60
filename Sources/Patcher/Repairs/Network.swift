extension Planner {
    /// Names and addresses of network cards: the guest boots without them, but may not be reached.
    mutating func remarkOnNetwork() {
        for file in guest.files {
            switch file.kind {
            case .netRules: repairRules(file)
            case .ifcfg: repairIfcfg(file)
            case .networkManager: repairKeyFile(file)
            case .netplan: repairNetplan(file)
            case .interfaces: repairInterfaces(file)
            case .modprobe:
                for row in file.rows
                where row.words.count >= 3 && row.words[0] == "alias" && row.words[1].hasPrefix("eth") {
                    advise(.net, file, "\(row.words[1]) is driven by \(row.words[2])", isMinor: true)
                }
            default: break
            }
        }
    }

    /// What the target calls its first network card, with names by place on the bus.
    private var firstCard: String {
        switch request.target.hypervisor {
        case .hyperv, .azure: "eth0"
        case .vmware: "ens192"
        case .xenserver: "eth0"
        case .kvm: "ens3"
        case .virtualbox: "enp0s3"
        case .aws: "ens5"
        case .gcp: "ens4"
        }
    }

    /// A name by place: "ens192", "enp0s3"; "eth0" stays what it is.
    private func isPlaceName(_ name: String) -> Bool {
        (name.hasPrefix("ens") || name.hasPrefix("enp") || name.hasPrefix("eno") || name.hasPrefix("enX"))
            && name.dropFirst(3).first?.isNumber == true && name != firstCard
    }

    private mutating func repairRules(_ file: ScannedFile) {
        for line in TextLine.all(in: file.bytes) {
            let text = file.bytes.text(line.content)
            guard !text.hasPrefix("#"), text.contains("NAME="), text.contains("address") else { continue }
            if request.wants(.net) {
                let start = line.content.lowerBound
                edit(
                    file, start..<start, "#", .net,
                    "the card's address changes, and a new card must get the first name")
            } else {
                advise(
                    .net, file,
                    "70-persistent-net.rules ties names to the old cards' addresses: keep the address, or --fix net"
                )
            }
        }
    }

    private mutating func repairIfcfg(_ file: ScannedFile) {
        guard let variables = file.variables else { return }
        if let address = variables.last("HWADDR") {
            if request.wants(.net), let line = line(of: address.valueRange, file) {
                edit(file, line..<line, "#", .net, "the card's address changes")
            } else {
                advise(
                    .net, file,
                    "HWADDR=\(address.text) must be the new card's address too (--fix net takes it out)")
            }
        }
        if let device = variables.last("DEVICE"), isPlaceName(device.text) {
            adviseName(file, device.text)
        }
    }

    private mutating func repairKeyFile(_ file: ScannedFile) {
        for row in TextLine.all(in: file.bytes) {
            let text = file.bytes.trimmed(row.content)
            guard let equals = file.bytes[text].firstIndex(of: .equals) else { continue }
            let value = file.bytes.text(equals + 1..<text.upperBound)
            switch file.bytes.text(text.lowerBound..<equals) {
            case "interface-name" where isPlaceName(value):
                renameOrAdvise(file, equals + 1..<text.upperBound, value)
            case "mac-address":
                if request.wants(.net) {
                    edit(
                        file, row.content.lowerBound..<row.content.lowerBound, "#", .net,
                        "the card's address changes")
                } else {
                    advise(.net, file, "mac-address=\(value) must be the new card's address too (--fix net)")
                }
            default: break
            }
        }
    }

    private mutating func repairNetplan(_ file: ScannedFile) {
        for row in TextLine.all(in: file.bytes) {
            let text = file.bytes.trimmed(row.content)
            guard file.bytes[text].last == .colon else { continue }
            let key = text.lowerBound..<text.upperBound - 1
            let name = file.bytes.text(key)
            if isPlaceName(name) { renameOrAdvise(file, key, name) }
        }
    }

    private mutating func repairInterfaces(_ file: ScannedFile) {
        for row in file.rows where ["auto", "iface", "allow-hotplug"].contains(row.words[0]) {
            for (word, range) in zip(row.words, row.ranges).dropFirst() where isPlaceName(word) {
                renameOrAdvise(file, range, word)
            }
        }
    }

    private mutating func renameOrAdvise(_ file: ScannedFile, _ range: Range<Int>, _ name: String) {
        if request.wants(.net) {
            edit(
                file, range, firstCard, .net,
                "\(request.target.hypervisor.title) usually presents its first card as \(firstCard), not \(name)"
            )
        } else {
            adviseName(file, name)
        }
    }

    private mutating func adviseName(_ file: ScannedFile, _ name: String) {
        advise(
            .net, file,
            "the network card \(name) will have another name, usually \(firstCard) on \(request.target.hypervisor.title)"
        )
    }

    /// Where the line begins that holds a value.
    private func line(of range: Range<Int>, _ file: ScannedFile) -> Int? {
        TextLine.all(in: file.bytes).first { $0.whole.contains(range.lowerBound) }?.content.lowerBound
    }
}
