internal import Storage

/// /boot/config-RELEASE: what the kernel was built with.
package struct KernelConfiguration: Sendable {
    /// What became of a choice.
    package enum Choice: Sendable, Hashable {
        /// Built in.
        case builtin
        /// A module.
        case module
        /// Not built.
        case absent
    }

    private var values: [String: Choice] = [:]

    /// From its text: lines of `CONFIG_NAME=y` or `m`; anything else is not built.
    package init(text: [UInt8]) {
        let lines = IndexLines(bytes: text)
        var found: [String: Choice] = [:]
        lines.forEach { words, _ in
            let word = text[words[0]]
            guard let equals = word.firstIndex(of: UInt8(ascii: "=")), word.endIndex - equals == 2 else {
                return
            }
            switch word[equals + 1] {
            case UInt8(ascii: "y"): found[String(hostBytes: word[..<equals])] = .builtin
            case UInt8(ascii: "m"): found[String(hostBytes: word[..<equals])] = .module
            default: break
            }
        }
        values = found
    }

    /// The choice of "CONFIG_NAME".
    package subscript(name: String) -> Choice { values[name] ?? .absent }

    /// Whether it says nothing at all: no configuration.
    package var isEmpty: Bool { values.isEmpty }
}
