extension Planner {
    /// Names and addresses of network cards: the guest boots without them, but may not be reached.
    mutating func remarkOnNetwork() {
        for file in guest.files {
            switch file.kind {
            case .netRules: repairRules(file)
            case .cdRules:
                if file.bytes.text(0..<file.bytes.count).contains("ID_PATH") {
                    advise(
                        .net, file,
                        "names of optical drives are tied to the old controller; udev gives new ones",
                        isMinor: true)
                }
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

    /// What the target calls its network cards, the first first.
    private var targetCards: [String] {
        switch request.target.hypervisor {
        case .hyperv, .azure, .xenserver: (0..<8).map { "eth\($0)" }
        case .vmware: ["ens192", "ens224", "ens256", "ens161", "ens193", "ens225", "ens257"]
        case .kvm: (3..<11).map { "ens\($0)" }
        case .virtualbox: ["enp0s3", "enp0s8", "enp0s9", "enp0s10"]
        case .aws: (5..<13).map { "ens\($0)" }
        case .gcp: (4..<12).map { "ens\($0)" }
        case .parallels: ["enp0s5"]
        }
    }

    /// A name by place: "ens192", "enp0s3"; "eth0" stays what it is.
    private func isPlaceName(_ name: String) -> Bool {
        (name.hasPrefix("ens") || name.hasPrefix("enp") || name.hasPrefix("eno") || name.hasPrefix("enX"))
            && name.dropFirst(3).first?.isNumber == true && !targetCards.contains(name)
    }

    /// What the target will call the card, by their order; nil where some of the guest's names are the target's already,
    /// so that the order does not tell.
    private func targetName(ofCard name: String) -> String? {
        let names = guest.networkNames
        guard let index = names.firstIndex(of: name), index < targetCards.count,
            !names.contains(where: { targetCards.contains($0) })
        else { return nil }
        return targetCards[index]
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
        if request.wants(.net), let new = targetName(ofCard: name) {
            edit(
                file, range, new, .net,
                "\(request.target.hypervisor.title) usually presents this card as \(new), not \(name)")
        } else {
            adviseName(file, name)
        }
    }

    private mutating func adviseName(_ file: ScannedFile, _ name: String) {
        advise(
            .net, file,
            "the network card \(name) will have another name, usually \(targetName(ofCard: name) ?? "one by its place") on "
                + request.target.hypervisor.title)
    }

    /// Where the line begins that holds a value.
    private func line(of range: Range<Int>, _ file: ScannedFile) -> Int? {
        TextLine.all(in: file.bytes).first { $0.whole.contains(range.lowerBound) }?.content.lowerBound
    }
}
