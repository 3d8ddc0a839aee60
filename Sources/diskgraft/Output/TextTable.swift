import DiskGraft

/// Columns of text, each as wide as its widest cell. What a guest says is shown as text, into a pipe too: labels and
/// titles are anything.
struct TextTable {
    private var rows: [[String]] = []
    private let indentation: String

    init(indentation: Int = 0) { self.indentation = String(repeating: " ", count: indentation) }

    mutating func add(_ cells: String...) { rows.append(cells.map(\.asShown)) }

    /// A row whose last cell holds a path of the host, as `Terminal.name` has it.
    mutating func add(_ title: String, name: String) { rows.append([title.asShown, name]) }

    var text: String {
        var widths: [Int] = []
        for row in rows {
            for (index, cell) in row.enumerated() {
                if index == widths.count { widths.append(0) }
                widths[index] = max(widths[index], cell.count)
            }
        }
        return rows.map { row in
            var line = indentation
            for (index, cell) in row.enumerated() {
                line +=
                    index == row.count - 1
                    ? cell : cell + String(repeating: " ", count: widths[index] - cell.count + 2)
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}

extension String {
    /// For people: without anything that does not show.
    var asShown: String { hostBytes.displayText }
}

/// Sizes as qemu-img shows them: "2 GiB (2147483648 bytes)", or the short half of it.
enum SizeText {
    static func short(_ bytes: UInt64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let hundredths = Int((value * 100).rounded())
        let whole = hundredths / 100
        let rest = hundredths % 100
        if rest == 0 { return "\(whole) \(units[unit])" }
        return "\(whole).\(rest < 10 ? "0" : "")\(rest) \(units[unit])"
    }

    static func long(_ bytes: UInt64) -> String { "\(short(bytes)) (\(bytes) bytes)" }

    /// A size as qemu-img takes it: a number of bytes, 0x before it for a hexadecimal one, or with K, M, G, T, P, E (powers of
    /// 1024).
    static func parse(_ text: String) -> UInt64? {
        let units: [String: UInt64] = [
            "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50, "E": 1 << 60, "B": 1,
        ]
        guard let last = text.last else { return nil }
        if text.lowercased().hasPrefix("0x") {
            let digits = text.dropFirst(2)
            return digits.first == "+" ? nil : UInt64(digits, radix: 16)
        }
        guard let unit = units[last.uppercased()] else { return UInt64(text) }
        if let whole = UInt64(text.dropLast()) {
            let (bytes, overflow) = whole.multipliedReportingOverflow(by: unit)
            return overflow ? nil : bytes
        }
        guard let value = Double(text.dropLast()), value >= 0, value * Double(unit) < 9e18 else { return nil }
        return UInt64(value * Double(unit))
    }
}
