extension Guest {
    /// The names that the guest's files give its network cards, each once, in the order that numbers count.
    package var networkNames: [String] {
        var names: Set<String> = []
        for file in files {
            switch file.syntax {
            case let card as Ifcfg:
                if let device = card.variables.last("DEVICE") { names.insert(device.text) }
            case let interfaces as Interfaces:
                for row in interfaces.rows where row.words.first == "iface" && row.words.count > 1 {
                    names.insert(row.words[1])
                }
            case is NetRules: names.formUnion(Self.values(of: "NAME=\"", in: file, endingWith: "\""))
            case is NetworkManagerKeyFile:
                names.formUnion(Self.values(of: "interface-name=", in: file, endingWith: "\r"))
            case is Netplan:
                for row in TextLine.all(in: file.bytes) {
                    let text = file.bytes.text(file.bytes.trimmed(row.content))
                    if text.hasSuffix(":"), Self.isCard(text.dropLast()) {
                        names.insert(String(text.dropLast()))
                    }
                }
            default: break
            }
        }
        names = names.filter { Self.isCard($0[...]) }
        return names.sorted { LoaderEntry.compareVersions($0, $1) < 0 }
    }

    /// eth0, ens192, enp0s3, enX0.
    private static func isCard(_ name: Substring) -> Bool {
        (name.hasPrefix("eth") || name.hasPrefix("en")) && name.last?.isNumber == true
            && name.allSatisfy { $0.isLetter || $0.isNumber }
    }

    private static func values(of key: String, in file: ScannedFile, endingWith end: Character) -> [String] {
        TextLine.all(in: file.bytes).compactMap { line in
            let text = file.bytes.text(line.content)
            guard !text.hasPrefix("#"), let place = text.lastRange(of: key) else { return nil }
            return String(text[place.upperBound...].prefix { $0 != end })
        }
    }
}
