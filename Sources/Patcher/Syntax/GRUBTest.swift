extension GRUBScope {
    /// What a test of variables comes to (grub manual, "test"): `[ -z "$a" ]`, `[ "$a" = b ]`, `test -n "$a"`. Nil where it tests
    /// something else, or what a variable stands for is not known.
    func outcome(ofTest condition: String) -> Bool? {
        var words = condition.split(separator: " ").map(String.init)
        switch words.first {
        case "[" where words.last == "]" && words.count > 2: words = Array(words.dropFirst().dropLast())
        case "test" where words.count > 1: words.removeFirst()
        default: return nil
        }
        switch words.count {
        case 1: return plain(words[0]).map { !$0.isEmpty }
        case 2 where words[0] == "-z": return plain(words[1])?.isEmpty
        case 2 where words[0] == "-n": return plain(words[1]).map { !$0.isEmpty }
        case 3:
            guard let isEqual = ["=": true, "==": true, "!=": false][words[1]], let one = plain(words[0]),
                let other = plain(words[2])
            else { return nil }
            return (one == other) == isEqual
        default: return nil
        }
    }

    private func plain(_ word: String) -> String? {
        switch expanded(word) {
        case .text(let text), .lacking(let text): text
        case .untold: nil
        }
    }
}
