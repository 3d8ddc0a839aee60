extension Machine.NetworkCard {
    /// An address as cards have it, `00:50:56:aa:bb:01`, from any of the spellings of descriptions; nil for what is none.
    static func address(_ text: String?) -> String? {
        guard let text else { return nil }
        let digits = text.lowercased().filter { $0 != ":" && $0 != "-" && $0 != "." }
        guard digits.utf8.count == 12,
            digits.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { return nil }
        var parts: [Substring] = []
        var rest = digits[...]
        while !rest.isEmpty {
            parts.append(rest.prefix(2))
            rest = rest.dropFirst(2)
        }
        let address = parts.joined(separator: ":")
        return address == "00:00:00:00:00:00" ? nil : address
    }
}
