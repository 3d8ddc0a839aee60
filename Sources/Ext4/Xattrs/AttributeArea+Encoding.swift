internal import Storage

extension AttributeArea {
    /// The area's bytes with these entries instead: entries from the start, values from the end, each on a multiple
    /// of four. Nil when they do not fit. What lies before the area stays.
    func replacingEntries(_ entries: [AttributeEntry]) -> [UInt8]? {
        var result = bytes
        result.withMutableBytes { $0.zero(start..<bytes.count) }
        var offset = start
        // Values lie on multiples of four counted from what their offsets count from.
        var end = valueBase + (bytes.count - valueBase) & ~3
        for entry in entries {
            let next = offset + (16 + entry.name.suffix.count + 3) & ~3
            let hasValue = entry.valueInode == 0 && entry.valueLength > 0
            if hasValue { end -= (entry.value.count + 3) & ~3 }
            // Four bytes of zeros must stay between entries and values.
            guard next + 4 <= end, entry.name.suffix.count <= 255 else { return nil }
            result[offset] = UInt8(entry.name.suffix.count)
            result[offset + 1] = entry.name.index
            result.storeLittle(UInt16(truncatingIfNeeded: hasValue ? end - valueBase : 0), at: offset + 2)
            result.storeLittle(entry.valueInode, at: offset + 4)
            result.storeLittle(UInt32(truncatingIfNeeded: entry.valueLength), at: offset + 8)
            result.storeLittle(entry.hash, at: offset + 12)
            result.replaceSubrange(
                offset + 16..<offset + 16 + entry.name.suffix.count, with: entry.name.suffix)
            if hasValue { result.replaceSubrange(end..<end + entry.value.count, with: entry.value) }
            offset = next
        }
        return result
    }
}
