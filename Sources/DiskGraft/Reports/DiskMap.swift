internal import ImageFormats
public import Storage

/// Where a disk's bytes lie, in the schema of `qemu-img map --output=json`.
public struct DiskMap: Sendable {
    /// One run of bytes.
    public struct Entry: Encodable, Equatable, Sendable {
        /// First guest byte.
        public var start: UInt64
        /// Bytes.
        public var length: UInt64
        /// 0: the image itself, 1: its parent, and so on.
        public var depth: Int
        /// Some image of the chain has a word on these bytes.
        public var present: Bool
        /// They read as zeros, by the image's own word.
        public var zero: Bool
        /// They take part in the data of a host file.
        public var data: Bool
        /// They have to be decoded.
        public var compressed: Bool
        /// Where they lie in the host file; nil for zeros and compressed units.
        public var offset: UInt64?
        /// The path of that file; nil where there is no place.
        public var file: String?

        private enum CodingKeys: String, CodingKey {
            case start, length, depth, present, zero, data, compressed, offset
        }
    }

    /// Calls `body` with each run of the image's disk from byte `start` on, `length` bytes at most (nil: to the end),
    /// neighbours of one kind merged;
    /// with one of no bytes where there are none.
    public static func forEachEntry(
        of image: DiskImage, from start: UInt64 = 0, length: UInt64? = nil,
        _ body: (Entry) throws(StorageError) -> Void
    ) throws(StorageError) {
        var pending: Entry?
        var position = start
        let disk = image.opened.disk
        let end = length.flatMap { start +? $0 }.map { min($0, disk.byteCount) } ?? disk.byteCount
        guard position < end else {
            // qemu-img has a run all the same.
            return try body(
                Entry(
                    start: start, length: 0, depth: 0, present: false, zero: false, data: false,
                    compressed: false, offset: nil))
        }
        while position < end {
            try Cancellation.check()
            var entry = try self.entry(of: disk, at: position, depth: 0)
            // A hole of a raw file has its place in it.
            if image.opened.info.format == .raw { entry.offset = position }
            entry.length = min(entry.length, end - position)
            position += entry.length
            if let last = pending, let merged = merge(last, entry) {
                pending = merged
            } else {
                if let last = pending { try body(last) }
                pending = entry
            }
        }
        if let pending { try body(pending) }
    }

    private static func entry(of disk: Image, at position: UInt64, depth: Int) throws(StorageError) -> Entry {
        let extent = try disk.map.extent(at: position)
        let length = min(extent.range.upperBound, disk.byteCount) - position
        var entry = Entry(
            start: position, length: length, depth: depth, present: true, zero: false, data: true,
            compressed: false, offset: nil)
        switch extent.kind {
        case .plain(let file, let offset):
            entry.offset = offset
            entry.file = disk.map.hostFiles.indices.contains(file) ? disk.map.hostFiles[file].path : nil
        case .zero:
            entry.zero = true
            entry.data = false
            // As qemu-img has it of an extent that is flat.
            if let place = disk.map.hole(at: position) {
                entry.data = true
                entry.offset = place.offset
                entry.file = disk.map.hostFiles[place.file].path
            }
        case .compressed(let unit):
            entry.compressed = true
            entry.length = min(unit.unitRange.upperBound, position + length) - position
        case .absent:
            if let parent = disk.parent as? Image, position < parent.byteCount {
                var below = try self.entry(of: parent, at: position, depth: depth + 1)
                below.length = min(below.length, length)
                return below
            }
            entry.present = false
            entry.zero = true
            entry.data = false
        case .memory, .computed:
            break
        }
        return entry
    }

    private static func merge(_ first: Entry, _ second: Entry) -> Entry? {
        guard first.depth == second.depth, first.present == second.present, first.zero == second.zero,
            first.data == second.data, first.compressed == second.compressed, first.file == second.file
        else { return nil }
        switch (first.offset, second.offset) {
        case (nil, nil): break
        case (let left?, let right?) where left + first.length == right: break
        default: return nil
        }
        var merged = first
        merged.length += second.length
        return merged
    }
}
