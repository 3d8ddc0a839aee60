/// GRUB 2's script language, cut into commands and words; enough of its grammar (grub manual, "Shell-like
/// scripting") to know which bytes are which word: quotes, backslashes, comments, continued lines, braces.
struct GRUBScript {
    /// A word: its bytes with quotes, and its text with quotes and escapes taken away.
    struct Word: Equatable {
        var range: Range<Int>
        var text: String
        /// It holds a variable, so that the text is not what GRUB will see.
        var hasVariable: Bool
        /// It was quoted or escaped somewhere: "{" is then no brace.
        var isQuoted: Bool
    }

    /// A command with its arguments, or a brace alone.
    typealias Command = [Word]

    /// The commands in order.
    private(set) var commands: [Command] = []

    init(_ bytes: [UInt8]) {
        var lexer = Lexer(bytes: bytes)
        var command: Command = []
        while let token = lexer.next() {
            switch token {
            case .word(let word):
                if !word.isQuoted, word.text == "{" || word.text == "}" {
                    if !command.isEmpty { commands.append(command) }
                    commands.append([word])
                    command = []
                } else {
                    command.append(word)
                }
            case .separator:
                if !command.isEmpty { commands.append(command) }
                command = []
            }
        }
        if !command.isEmpty { commands.append(command) }
    }

    private enum Token {
        case word(Word)
        case separator
    }

    private struct Lexer {
        let bytes: [UInt8]
        var position = 0

        mutating func next() -> Token? {
            skipBlanks()
            guard position < bytes.count else { return nil }
            if bytes[position] == .hash {
                while position < bytes.count, bytes[position] != .newline { position += 1 }
            }
            guard position < bytes.count else { return nil }
            if isSeparator(bytes[position]) {
                position += 1
                return .separator
            }
            return .word(word())
        }

        private mutating func skipBlanks() {
            while position < bytes.count {
                if bytes[position].isBlank || bytes[position] == .carriageReturn {
                    position += 1
                } else if bytes[position] == .backslash, position + 1 < bytes.count,
                    bytes[position + 1] == .newline
                {
                    position += 2
                } else {
                    return
                }
            }
        }

        private func isSeparator(_ byte: UInt8) -> Bool {
            byte == .newline || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "|")
                || byte == UInt8(ascii: "&")
        }

        private mutating func word() -> Word {
            let start = position
            var text: [UInt8] = []
            var hasVariable = false
            var isQuoted = false
            var quote: UInt8?
            while position < bytes.count {
                let byte = bytes[position]
                if quote == nil, byte.isBlank || byte == .carriageReturn || isSeparator(byte) { break }
                position += 1
                if byte == quote {
                    quote = nil
                } else if quote == .singleQuote {
                    text.append(byte)
                } else if quote == nil, byte == .singleQuote || byte == .doubleQuote {
                    quote = byte
                    isQuoted = true
                } else if byte == .backslash, position < bytes.count {
                    isQuoted = true
                    if bytes[position] != .newline { text.append(bytes[position]) }
                    position += 1
                } else {
                    if byte == .dollar { hasVariable = true }
                    text.append(byte)
                }
            }
            return Word(
                range: start..<position, text: String(decoding: text, as: UTF8.self),
                hasVariable: hasVariable,
                isQuoted: isQuoted)
        }
    }
}
