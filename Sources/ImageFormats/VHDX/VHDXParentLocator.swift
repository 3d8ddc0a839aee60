internal import Storage

/// How a differencing disk names its parent: keys and values in UTF-16LE ([MS-VHDX] 2.6.2.6).
struct VHDXParentLocator: Equatable, Sendable {
    /// In the order stored.
    var values: [(key: String, value: String)]

    static func == (left: Self, right: Self) -> Bool {
        left.values.elementsEqual(right.values) { $0.key == $1.key && $0.value == $1.value }
    }

    /// Parses the item. Entries that reach outside it are refused.
    init(_ bytes: [UInt8]) throws(StorageError) {
        func bad(_ message: String) -> StorageError {
            .vhdx(.corrupt, .parentLocator, message, structure: "parent locator")
        }
        guard UUID16(mixedEndian: bytes.span8, at: 0) == VHDXGUID.vhdxParent else {
            throw .vhdx(
                .unsupported, .parentLocator, "names its parent in a way that is not known",
                structure: "parent locator", field: "LocatorType")
        }
        let count = Int(bytes.little(18, as: UInt16.self))
        guard 20 + count * 12 <= bytes.count else { throw bad("has more entries than room") }
        var values: [(key: String, value: String)] = []
        for index in 0..<count {
            let at = 20 + index * 12
            func text(_ offset: Int, _ length: Int) throws(StorageError) -> String {
                let start = UInt64(bytes.little(offset, as: UInt32.self))
                let end = start + UInt64(bytes.little(length, as: UInt16.self))
                guard end <= UInt64(bytes.count) else { throw bad("an entry lies outside it") }
                return VHDParentLocator.text(utf16: Array(bytes[Int(start)..<Int(end)]), littleEndian: true)
            }
            values.append((try text(at, at + 8), try text(at + 4, at + 10)))
        }
        self.values = values
    }

    /// Of a disk made now.
    init(linkage: UUID16, relativePath: String) {
        values = [("parent_linkage", "{\(linkage)}"), ("relative_path", relativePath)]
    }

    subscript(key: String) -> String? { values.first { $0.key.lowercased() == key }?.value }

    /// What the parent's DataWriteGuid may be: two, while a merge is under way.
    var linkages: [UUID16] {
        ["parent_linkage", "parent_linkage2"].compactMap { key in
            self[key].flatMap { UUID16(text: $0.filter { $0 != "{" && $0 != "}" }) }
        }.filter { !$0.isZero }
    }

    /// Its names, the most telling first.
    var names: [ParentName] {
        let kinds: [(String, ParentName.Kind)] = [
            ("relative_path", .relative), ("absolute_win32_path", .absolute), ("volume_path", .absolute),
        ]
        return kinds.compactMap { key, kind in
            self[key].map { ParentName(kind: kind, text: $0, source: key) }
        }
    }

    /// The item's bytes.
    func encoded() -> [UInt8] {
        func utf16(_ text: String) -> [UInt8] {
            text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        }
        var head = VHDXGUID.vhdxParent.mixedEndianBytes + [UInt8](repeating: 0, count: 4 + values.count * 12)
        head.storeLittle(UInt16(truncatingIfNeeded: values.count), at: 18)
        var text: [UInt8] = []
        for (index, entry) in values.enumerated() {
            let (key, value) = (utf16(entry.key), utf16(entry.value))
            let at = 20 + index * 12
            head.storeLittle(UInt32(head.count + text.count), at: at)
            head.storeLittle(UInt32(head.count + text.count + key.count), at: at + 4)
            head.storeLittle(UInt16(truncatingIfNeeded: key.count), at: at + 8)
            head.storeLittle(UInt16(truncatingIfNeeded: value.count), at: at + 10)
            text += key + value
        }
        return head + text
    }
}
