package import GuestTree
internal import Storage

/// One change of a text: the bytes of a token become others. An empty range inserts.
package struct TokenEdit: Equatable, Sendable {
    /// Which bytes of the original.
    package var range: Range<Int>
    /// What stands there now.
    package var old: [UInt8]
    /// What will stand there.
    package var new: [UInt8]
    /// Which repair asks for it.
    package var repair: Repair
    /// Why, in a sentence for people.
    package var reason: String
}

/// A file while its edits are being collected.
package struct FileDraft: Sendable {
    /// The file: canonical path, volume and number.
    package let file: GuestFile
    /// Its bytes as found.
    package let original: [UInt8]
    /// The edits, in the order of their places.
    package private(set) var edits: [TokenEdit] = []

    /// Begins with no edits.
    package init(file: GuestFile, original: [UInt8]) {
        self.file = file
        self.original = original
    }

    /// Adds an edit. One that would change nothing, lies outside the file or touches bytes that another edit
    /// already changes is left out; false then.
    @discardableResult
    package mutating func replace(_ range: Range<Int>, with new: [UInt8], _ repair: Repair, _ reason: String)
        -> Bool
    {
        guard range.lowerBound >= 0, range.upperBound <= original.count else { return false }
        let old = Array(original[range])
        guard old != new else { return false }
        let place = place(of: range.lowerBound)
        if place > 0, edits[place - 1].range.upperBound > range.lowerBound { return false }
        if place < edits.count {
            let next = edits[place].range
            if next.lowerBound < range.upperBound || next == range { return false }
        }
        edits.insert(TokenEdit(range: range, old: old, new: new, repair: repair, reason: reason), at: place)
        return true
    }

    /// The index of the first edit that begins at `offset` or behind it.
    private func place(of offset: Int) -> Int {
        edits.firstIndex(sortedBy: { $0.range.lowerBound >= offset })
    }

    /// Adds an edit whose new bytes are `text`.
    @discardableResult
    package mutating func replace(_ range: Range<Int>, with text: String, _ repair: Repair, _ reason: String)
        -> Bool
    {
        replace(range, with: Array(text.utf8), repair, reason)
    }

    /// The bytes with all edits made.
    package var result: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(original.count + 64)
        var position = 0
        for edit in edits {
            bytes += original[position..<edit.range.lowerBound]
            bytes += edit.new
            position = edit.range.upperBound
        }
        return bytes + original[position...]
    }
}
