/// GRUB 2's `search` (grub manual, "search"): a device by what it holds, put into a variable. The name is the first word that is
/// no option; those behind it are hints.
struct GRUBSearch {
    /// What a device is looked for by.
    enum Kind { case uuid, label, file }

    /// By what; nil where the command does not say.
    private(set) var kind: Kind?
    /// The variable that is set; nil for none.
    private(set) var variable: String?
    /// What is looked for.
    private(set) var name: String?

    /// Reads the words behind the command.
    init(_ command: String, _ words: some Sequence<String>) {
        guard command == "search" else {
            kind = Self.kinds[command]
            let names = words.filter { !$0.hasPrefix("-") }
            name = names.first
            variable = names.dropFirst().first ?? "root"
            return
        }
        var rest = Array(words)[...]
        while let word = rest.popFirst() {
            if word.hasPrefix("--") {
                kind = Self.kinds[word] ?? kind
                // A long option takes its value behind "=" alone.
                if word == "--set" { variable = "root" }
                if word.hasPrefix("--set=") { variable = String(word.dropFirst("--set=".count)) }
            } else if word.hasPrefix("-"), word.count > 1 {
                for letter in word.dropFirst() { kind = Self.kinds["-\(letter)"] ?? kind }
                // A short one takes the next word, where it is the last of its word.
                if word.last == "s" {
                    variable = rest.popFirst() ?? "root"
                } else if word.contains("s") {
                    variable = "root"
                }
            } else if name == nil {
                name = word
            }
        }
    }

    private static let kinds: [String: Kind] = [
        "--fs-uuid": .uuid, "-u": .uuid, "search.fs_uuid": .uuid, "--label": .label, "-l": .label,
        "search.fs_label": .label, "--file": .file, "-f": .file, "search.file": .file,
    ]
}

extension GRUBSearch {
    /// What a command of a menu sets `root` to; nil where it sets another variable, or none.
    static func root(_ command: String, _ words: ArraySlice<GRUBScript.Word>) -> GRUBRootSetting.Place? {
        let search = GRUBSearch(command, words.map(\.text))
        guard search.variable == "root", let name = search.name else { return nil }
        if words.contains(where: { $0.text == name && $0.hasVariable }) { return .unknown }
        return switch search.kind {
        case .uuid: .uuid(name)
        case .label: .label(name)
        case .file, nil: .unknown
        }
    }
}
