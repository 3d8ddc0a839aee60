internal import Storage

/// A value of XML-RPC, as XenServer writes it.
indirect enum XMLRPCValue {
    case text(String)
    case structure([String: XMLRPCValue])
    case list([XMLRPCValue])

    /// Of a `value` element.
    init(_ element: XMLElement) {
        guard let inner = element.children.first else {
            self = .text(element.text.trimmed)
            return
        }
        switch inner.name {
        case "struct":
            var members: [String: XMLRPCValue] = [:]
            for member in inner.children(named: "member") {
                guard let name = member.value(of: "name"), let value = member.child("value") else { continue }
                members[name] = XMLRPCValue(value)
            }
            self = .structure(members)
        case "array":
            self = .list((inner.child("data")?.children(named: "value") ?? []).map { XMLRPCValue($0) })
        default: self = .text(inner.text.trimmed)
        }
    }

    subscript(name: String) -> XMLRPCValue? {
        if case .structure(let members) = self { members[name] } else { nil }
    }

    /// The text of a member; nil where there is none, or it is no text.
    func text(_ name: String) -> String? {
        if case .text(let text)? = self[name] { text } else { nil }
    }

    /// The values of a list; none for everything else.
    var elements: [XMLRPCValue] { if case .list(let values) = self { values } else { [] } }
}
