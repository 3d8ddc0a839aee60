/// GRUB 2's `search` (grub manual, "search"): a device by what it holds, put into a variable.
struct GRUBSearch {
    /// What it sets `root` to; nil where it sets another variable, or none.
    let root: GRUBRootSetting.Place?

    init(_ command: String, _ words: ArraySlice<GRUBScript.Word>) {
        let texts = words.map(\.text)
        let names = texts.filter { !$0.hasPrefix("-") }
        let isShort = command != "search"
        // The short forms name a variable; `--set` alone means root.
        let variable =
            isShort
            ? names.dropFirst().first ?? "root"
            : texts.lazy.compactMap { Self.variable(of: $0) }.first
        guard variable == "root", let wanted = isShort ? names.first : names.last else {
            root = nil
            return
        }
        let options = Set(texts + [command])
        if words.contains(where: { $0.text == wanted && $0.hasVariable }) {
            root = .unknown
        } else if !options.isDisjoint(with: ["--fs-uuid", "-u", "search.fs_uuid"]) {
            root = .uuid(wanted)
        } else if !options.isDisjoint(with: ["--label", "-l", "search.fs_label"]) {
            root = .label(wanted)
        } else {
            root = .unknown
        }
    }

    private static func variable(of option: String) -> String? {
        if ["--set", "-s"].contains(option) { return "root" }
        return option.hasPrefix("--set=") ? String(option.dropFirst("--set=".count)) : nil
    }
}
