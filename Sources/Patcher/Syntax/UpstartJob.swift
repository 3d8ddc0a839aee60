/// A job of Upstart's (init(5) of Upstart): stanzas, of which `start on` may go over several lines in parentheses.
package struct UpstartJob: ConfigurationSyntax {
    package static let kind = ConfigurationKind("upstart-job")
    package static let places: [ConfigurationPlace] = [.directory("/etc/init", suffix: ".conf")]

    /// The lines of `start on`.
    package let startLines: [TextLine]
    /// The last word of the command that starts a login, without "/dev/".
    package let loginConsole: String?

    package init(_ bytes: [UInt8], path: String) {
        var lines: [TextLine] = []
        var console: String?
        var depth = 0
        for line in TextLine.all(in: bytes) {
            let words = bytes.fields(in: line.content).map { bytes.text($0) }
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            if depth > 0 || first == "start" && words.dropFirst().first == "on" {
                lines.append(line)
                depth = max(
                    0, depth + words.joined().count { $0 == "(" } - words.joined().count { $0 == ")" })
                continue
            }
            let isLogin =
                ["exec", "respawn"].contains(first) && words.contains { $0.hasSuffix("getty") }
            if isLogin, let last = words.last(where: { Self.isConsole($0) }) {
                console = String(last.suffix(behind: "/dev/") ?? last[...])
            }
        }
        startLines = lines
        loginConsole = console
    }

    private static func isConsole(_ word: String) -> Bool {
        let name = word.suffix(behind: "/dev/") ?? word[...]
        return ["tty", "hvc", "xvc", "hvsi"].contains { name.hasPrefix($0) } && name.last?.isNumber == true
    }
}
