/// Names of network cards: the guest boots without them, but may not be reached.
extension PlanDraft {
    /// What the target calls its network cards, the first first.
    var targetCards: [String] {
        switch hypervisor {
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
    func isPlaceName(_ name: String) -> Bool {
        (name.hasPrefix("ens") || name.hasPrefix("enp") || name.hasPrefix("eno") || name.hasPrefix("enX"))
            && name.dropFirst(3).first?.isNumber == true && !targetCards.contains(name)
    }

    /// What the target will call the card, by their order; nil where some of the guest's names are the target's already,
    /// so that the order does not tell.
    func targetName(ofCard name: String) -> String? {
        let names = guest.networkNames
        guard let index = names.firstIndex(of: name), index < targetCards.count,
            !names.contains(where: { targetCards.contains($0) })
        else { return nil }
        return targetCards[index]
    }

    /// Renames a card where that is asked for and its new name is known; else says so.
    mutating func renameCard(_ file: ScannedFile, _ range: Range<Int>, _ name: String) {
        if request.wants(.net), let new = targetName(ofCard: name) {
            edit(
                file, range, new, .net,
                "\(hypervisor.title) usually presents this card as \(new), not \(name)")
        } else {
            adviseCardName(file, name)
        }
    }

    /// A card whose name will change.
    mutating func adviseCardName(_ file: ScannedFile, _ name: String) {
        let usual = targetName(ofCard: name) ?? "one by its place"
        advise(
            .net, file,
            "the network card \(name) will have another name, usually \(usual) on \(hypervisor.title)")
    }
}
