internal import Storage

extension AliasIndex {
    /// From modules.pcimap, which depmod wrote beside or instead of modules.alias up to Linux 2.6.3x: module, vendor,
    /// device, subvendor, subdevice, class, class mask, driver data, in hexadecimal.
    package init(pciMap text: [UInt8]) {
        self.init()
        let lines = IndexLines(bytes: text)
        var found: [(alias: String, module: String)] = []
        lines.forEach { words, _ in
            guard words.count >= 7 else { return }
            let numbers = words[1..<7].map { Self.hexadecimal(text[$0]) }
            guard let vendor = numbers[0], let device = numbers[1], let subvendor = numbers[2],
                let subdevice = numbers[3], let kind = numbers[4], let mask = numbers[5]
            else { return }
            var alias = "pci:v" + Self.field(vendor) + "d" + Self.field(device)
            alias += "sv" + Self.field(subvendor) + "sd" + Self.field(subdevice)
            for (prefix, shift) in [("bc", UInt32(16)), ("sc", 8), ("i", 0)] {
                let part = kind >> shift & 0xff
                alias += prefix + (mask >> shift & 0xff == 0xff ? Self.digits(part, 2) : "*")
            }
            found.append((alias, lines.text(words[0])))
        }
        for line in found { append(alias: line.alias.utf8, module: line.module.utf8) }
    }

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt32? {
        let text = String(decoding: digits, as: UTF8.self)
        return UInt32(text.hasPrefix("0x") ? String(text.dropFirst(2)) : text, radix: 16)
    }

    private static func field(_ value: UInt32) -> String { value == .max ? "*" : digits(value, 8) }

    private static func digits(_ value: UInt32, _ count: Int) -> String {
        let text = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}
