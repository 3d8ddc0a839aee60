public import Storage

/// Contents on their way into a guest, read piece by piece.
public struct FileContents {
    /// Up to that many of the next bytes; none at the end.
    let next: (Int) throws(StorageError) -> [UInt8]
    /// The file that the contents are, from its beginning, where it has holes.
    package let sparseFile: (any ByteFile)?

    /// Contents that are in memory.
    public init(_ bytes: [UInt8]) {
        var position = 0
        sparseFile = nil
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
        sparseFile = first.map { $0.isData && $0.end >= file.byteCount } ?? true ? nil : file
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
        sparseFile = nil
        self.next = next
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
