public import Storage

/// Contents on their way into a guest, read piece by piece.
public struct FileContents {
    /// Up to that many of the next bytes; none at the end.
    let next: (Int) throws(StorageError) -> [UInt8]
    /// The same by their places, where they have holes; of both ways one is taken.
    package let sparse: Sparse?

    /// Contents between which there are holes.
    package struct Sparse {
        /// The length, holes included.
        package let byteCount: UInt64
        /// Up to that many bytes of the next data and where they begin, in order; nil at the end.
        package let next: (Int) throws(StorageError) -> (offset: UInt64, bytes: [UInt8])?

        package init(
            byteCount: UInt64,
            next: @escaping (Int) throws(StorageError) -> (offset: UInt64, bytes: [UInt8])?
        ) {
            self.byteCount = byteCount
            self.next = next
        }
    }

    /// Contents that are in memory.
    public init(_ bytes: [UInt8]) {
        var position = 0
        sparse = nil
        next = { count in
            let end = min(position + count, bytes.count)
            defer { position = end }
            return Array(bytes[position..<end])
        }
    }

    /// A file's contents; its holes stay holes where the guest's file system has such. Archives are read in small bites,
    /// so it is asked for more than is wanted.
    public init(_ file: any ByteFile) {
        // Where holes cannot be asked for, reading will tell why.
        let first = file.byteCount > 0 ? try? file.nextDataOrHole(at: 0) : nil
        sparse = first.map { $0.isData && $0.end >= file.byteCount } ?? true ? nil : Sparse(file)
        let pieceSize = Self.requestSize
        var position: UInt64 = 0
        var held: ArraySlice<UInt8> = []
        next = { (count) throws(StorageError) in
            if held.isEmpty {
                let left = file.byteCount - min(position, file.byteCount)
                let bytes = try file.bytes(at: position, count: Int(min(UInt64(max(count, pieceSize)), left)))
                position += UInt64(bytes.count)
                if bytes.count <= count { return bytes }
                held = bytes[...]
            }
            defer { held = held.dropFirst(count) }
            return Array(held.prefix(count))
        }
    }

    /// Whatever `next` returns, asked for at most the given number of bytes, until it returns none.
    public init(next: @escaping (Int) throws(StorageError) -> [UInt8]) {
        sparse = nil
        self.next = next
    }

    /// Contents with holes. They are read by their places, or with zeros for the holes.
    package init(_ sparse: Sparse) {
        self.sparse = sparse
        var position: UInt64 = 0
        var ahead: (offset: UInt64, bytes: ArraySlice<UInt8>)?
        next = { (count) throws(StorageError) in
            if ahead?.bytes.isEmpty ?? true {
                ahead = try sparse.next(Self.requestSize).map { ($0.offset, $0.bytes[...]) }
            }
            let end = ahead?.offset ?? sparse.byteCount
            if position < end {
                let zeros = min(end - position, UInt64(count))
                position += zeros
                return [UInt8](repeating: 0, count: Int(zeros))
            }
            let part = Array(ahead?.bytes.prefix(count) ?? [])
            ahead?.bytes.removeFirst(part.count)
            ahead?.offset += UInt64(part.count)
            position += UInt64(part.count)
            return part
        }
    }

    /// What is asked for at a time: a source that makes a buffer for each request makes no large ones.
    package static var requestSize: Int { 256 << 10 }

    /// `count` bytes, fewer at the end.
    package func read(_ count: Int) throws(StorageError) -> [UInt8] {
        var bytes = try next(min(count, Self.requestSize))
        while bytes.count < count {
            try Cancellation.check()
            let more = try next(min(count - bytes.count, Self.requestSize))
            if more.isEmpty { break }
            bytes += more
        }
        return bytes
    }
}

extension FileContents.Sparse {
    /// What a file of the host has between its holes.
    fileprivate init(_ file: any ByteFile) {
        var position: UInt64 = 0
        self.init(byteCount: file.byteCount) { (limit) throws(StorageError) in
            while position < file.byteCount {
                try Cancellation.check()
                let run = try file.nextDataOrHole(at: position)
                let end = min(run.end, file.byteCount)
                guard end > position else { return nil }
                guard run.isData else {
                    position = end
                    continue
                }
                let start = position
                position += min(end - position, UInt64(limit))
                return (start, try file.bytes(at: start, count: Int(position - start)))
            }
            return nil
        }
    }
}
