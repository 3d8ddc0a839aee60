import FoundationEssentials

/// Prints values as JSON: sorted keys, slashes as they are.
enum JSONOutput {
    static func print(_ value: some Encodable, pretty: Bool = true) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        Terminal.write(Array(try encoder.encode(value)) + [UInt8(ascii: "\n")])
    }
}
