/// wicked's own XML, of which only interfaces, their ports and addresses are read.
package struct WickedInterfaces: NetworkSyntax {
    package static let kind = ConfigurationKind("wicked")
    package static let places: [ConfigurationPlace] = [.directory("/etc/wicked/ifconfig", suffix: ".xml")]

    private let leaves: [XMLLeaf]?

    package init(_ bytes: [UInt8], path: String) { leaves = XMLLeaf.all(in: bytes) }

    package static func facts(of files: [ParsedFile<WickedInterfaces>]) -> NetworkFacts {
        var facts = NetworkFacts()
        for file in files {
            guard let leaves = file.syntax.leaves else {
                facts.problems.append(.init(file: file.file, reason: "it is no XML that is read here"))
                continue
            }
            add(leaves, file.file, &facts)
        }
        return facts
    }

    private static func add(_ leaves: [XMLLeaf], _ file: ScannedFile, _ facts: inout NetworkFacts) {
        var names: [Int: String] = [:]
        for leaf in leaves {
            let interface = leaf.path.lastIndex(of: "interface").map { leaf.starts[$0] }
            // An interface that is chosen by something else than its name has none here.
            let name = interface.flatMap { names[$0] }
            let parent = leaf.path.dropLast().last ?? ""
            switch (parent, leaf.path.last ?? "") {
            case ("interface", "name"):
                if let interface { names[interface] = leaf.text }
                if CardName.isOfCard(CardName.base(leaf.text)) { facts.use(leaf.text, file) }
            case ("slave", "device"), ("port", "device"), ("vlan", "device"), ("macvlan", "device"):
                facts.join(leaf.text, to: name)
                if CardName.isOfCard(CardName.base(leaf.text)) { facts.use(leaf.text, file) }
            case (_, "permanent-address"):
                facts.pin(
                    leaf.text, leaf.range, of: leaf.path.contains("name") ? nil : name, .matches,
                    "permanent-address", file)
            case ("ethernet", "address"), ("bridge", "address"), ("bond", "address"), ("vlan", "address"):
                facts.pin(leaf.text, leaf.range, of: name, .sets, "address", file)
            default: break
            }
        }
    }
}
