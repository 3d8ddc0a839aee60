internal import Storage

/// Where a descriptor's content identifiers lie, so that a session that changes the disk can renew them.
///
/// Children (snapshots), backups and caches compare them: a disk whose bytes changed under the same CID is taken
/// for unchanged. Only hexadecimal digits are replaced by as many others: neither the text's length nor any other
/// byte of it changes, so a cut in the middle of the write leaves a valid descriptor with a third identifier.
struct VMDKContentID: Sendable {
    /// The descriptor's file among the map's host files.
    let file: Int
    /// The digits of `CID` in that file.
    let digits: Range<UInt64>
    /// The digits of `ddb.longContentID`, of which VMware makes the last eight the CID.
    let longDigits: Range<UInt64>?

    /// Nil when the descriptor has no CID.
    init?(_ descriptor: VMDKDescriptor, file: Int) {
        guard let range = descriptor.range(of: "cid") else { return nil }
        func place(_ range: Range<Int>) -> Range<UInt64> {
            descriptor.fileOffset + UInt64(range.lowerBound)..<descriptor.fileOffset
                + UInt64(range.upperBound)
        }
        self.file = file
        digits = place(range)
        longDigits = descriptor.range(of: "ddb.longcontentid").flatMap { range in
            let text = descriptor.text[range]
            let isHex = text.allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
            return text.count == 32 && isHex ? place(range) : nil
        }
    }

    /// Writes new identifiers. The caller puts a barrier behind it.
    func renew(in file: any ByteFile) throws(StorageError) {
        let start = min(digits.lowerBound, longDigits?.lowerBound ?? digits.lowerBound)
        let end = max(digits.upperBound, longDigits?.upperBound ?? 0)
        // Both lie in one descriptor of at most 1 MiB.
        var bytes = try file.bytes(at: start, count: Int(end - start))
        func local(_ range: Range<UInt64>) -> Range<Int> {
            Int(range.lowerBound - start)..<Int(range.upperBound - start)
        }
        let width = digits.count
        let old = Array(bytes[local(digits)])
        var new = old
        while new == old { new = Array(try Self.random().hex8.utf8.suffix(width)) }
        bytes.replaceSubrange(local(digits), with: new)
        if let longDigits {
            let head = try SystemRandom.bytes(12).hexString
            let tail = String(decoding: new, as: UTF8.self)
            let zeros = String(repeating: "0", count: 8 - tail.utf8.count)
            bytes.replaceSubrange(local(longDigits), with: Array((head + zeros + tail).utf8))
        }
        try file.write(bytes, at: start)
    }

    /// A random identifier; never all ones (no parent) nor the number below it, which VMware keeps for itself.
    static func random() throws(StorageError) -> UInt32 {
        while true {
            let number: UInt32 = try SystemRandom.bytes(4).little(0)
            if number < 0xffff_fffe { return number }
        }
    }
}

extension UInt32 {
    /// Eight hexadecimal digits.
    var hex8: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }
}
