extension Repair {
    /// Network interface names.
    package static let net = Repair("net", needsAsking: true)
}

/// udev's rules that tie a card's name to its address.
enum NetworkRules: PlanStep {
    static let repair = Repair.net
    static let reads: [any ConfigurationSyntax.Type] = [NetRules.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(NetRules.self).map(\.file) {
            for line in TextLine.all(in: file.bytes) {
                let text = file.bytes.text(line.content)
                guard !text.hasPrefix("#"), text.contains("NAME="), text.contains("address") else { continue }
                if draft.request.wants(.net) {
                    draft.comment(
                        file, lineAt: line.content.lowerBound, .net,
                        "the card's address changes, and a new card must get the first name")
                } else {
                    draft.advise(
                        .net, file,
                        "70-persistent-net.rules ties names to the old cards' addresses: keep the address, or \(remedy: .ask(.net))"
                    )
                }
            }
        }
    }
}
