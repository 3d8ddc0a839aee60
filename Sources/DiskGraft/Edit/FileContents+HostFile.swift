public import GuestTree
public import Storage

extension FileContents {
    /// A host file's contents. Archives are read in small bites, so it is asked for more than is wanted.
    public init(_ file: HostFile) {
        let pieceSize = Self.requestSize
        var position: UInt64 = 0
        var held: ArraySlice<UInt8> = []
        self.init { (count) throws(StorageError) in
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
}
