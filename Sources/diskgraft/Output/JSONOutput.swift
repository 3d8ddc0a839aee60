import DiskGraft
import FoundationEssentials

/// Prints values as JSON: sorted keys, slashes as they are.
enum JSONOutput {
    static func print(_ value: some Encodable, pretty: Bool = true) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        Terminal.write(withoutControls(Array(try encoder.encode(value))) + [UInt8(ascii: "\n")])
    }

    /// What a command that was to print JSON prints where it ends with an error instead: docs/error.schema.json.
    private struct Failure: Encodable {
        struct Error: Encodable {
            /// The sentence of standard error, without the command's name.
            var message: String
            /// The exit status.
            var status: Int32
        }
        var error: Error
    }

    /// Prints an error where the arguments ask for JSON, and none was printed.
    static func printError(_ message: String, status: Int32, arguments: [String]) {
        guard status != 0, !message.isEmpty, !Terminal.hasOutput, !Terminal.isCut,
            arguments.prefix(while: { $0 != "--" }).contains("--json")
        else { return }
        // A sentence and a number can always be encoded.
        try? print(Failure(error: .init(message: message, status: status)))
    }

    /// JSON with \u escapes for what would steer a terminal: DEL, C1 controls, marks that change the direction of
    /// text. Those below U+0020 are escaped in every JSON, and outside strings there are none of these. A byte of
    /// the host that is not UTF-8 is shown as \xNN; where it matters, a key with "hex" in its name has it exactly.
    static func withoutControls(_ json: [UInt8]) -> [UInt8] {
        guard json.contains(where: { $0 >= 0x7f }) else { return json }
        var result: [UInt8] = []
        result.reserveCapacity(json.count)
        for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
            let text = String(scalar)
            if let byte = text.hostBytes.first, text.utf8.count == 4, text.hostBytes.count == 1 {
                result += Array("\\\\x".utf8) + [byte].hexDigits
            } else if scalar == "\n" || scalar.isShown {
                result += Array(text.utf8)
            } else {
                for unit in text.utf16 {
                    result += Array("\\u".utf8) + [UInt8(unit >> 8), UInt8(unit & 0xff)].hexDigits
                }
            }
        }
        return result
    }
}
