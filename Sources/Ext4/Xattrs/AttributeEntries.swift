internal import Storage

/// One entry of an attribute area: the kernel's `struct ext4_xattr_entry`.
struct AttributeEntry: Equatable, Sendable {
    var name: AttributeName
    /// The inode that holds the value with ea_inode; 0 when the value lies in the same area.
    var valueInode: UInt32
    /// The value where it lies in the same area.
    var value: [UInt8]
    /// The value's length.
    var valueLength: Int
    var hash: UInt32
    /// Where the entry begins, and where its value begins, in the area's bytes.
    var offset: Int
    var valueOffset: Int
}

/// An area of entries growing up from `start` and values growing down from the end, in an inode's tail or in a
/// block.
struct AttributeArea: Sendable {
    static let magic: UInt32 = 0xea02_0000
    static let headerLength = 32

    var bytes: [UInt8]
    /// Where entries begin.
    var start: Int
    /// What value offsets count from.
    var valueBase: Int

    /// The entries up to the terminator. Throws a sentence when they run out of the area.
    func entries() throws(AttributeDefect) -> [AttributeEntry] {
        var result: [AttributeEntry] = []
        var offset = start
        while true {
            // The terminator is four zero bytes; an area filled to its last byte has none.
            guard offset + 4 <= bytes.count else { return result }
            guard bytes.little(offset) as UInt32 != 0 else { return result }
            guard offset + 16 <= bytes.count else { throw AttributeDefect("an entry is cut off") }
            let nameLength = Int(bytes[offset])
            let next = offset + (16 + nameLength + 3) & ~3
            guard next <= bytes.count else { throw AttributeDefect("a name runs out of its area") }
            let valueInode: UInt32 = bytes.little(offset + 4)
            let length = Int(bytes.little(offset + 8) as UInt32)
            let valueOffset = valueBase + Int(bytes.little(offset + 2) as UInt16)
            var value: [UInt8] = []
            if valueInode == 0, length > 0 {
                guard valueOffset >= start, valueOffset <= bytes.count, length <= bytes.count - valueOffset
                else { throw AttributeDefect("a value runs out of its area") }
                value = Array(bytes[valueOffset..<valueOffset + length])
            }
            result.append(
                AttributeEntry(
                    name: AttributeName(
                        index: bytes[offset + 1], suffix: Array(bytes[offset + 16..<offset + 16 + nameLength])
                    ),
                    valueInode: valueInode, value: value, valueLength: length,
                    hash: bytes.little(offset + 12), offset: offset, valueOffset: valueOffset))
            offset = next
        }
    }
}

/// Why an attribute area cannot be read.
struct AttributeDefect: Error {
    let text: String
    init(_ text: String) { self.text = text }
}
