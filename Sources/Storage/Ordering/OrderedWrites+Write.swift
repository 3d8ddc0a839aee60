extension OrderedWrites {
    /// Where bytes come from that are fetched when they are written.
    package protocol Source: Sendable {
        /// Fills all of `target` with the bytes of an item, one of many.
        func fetch(_ item: Int, into target: inout MutableRawSpan) throws(StorageError)
    }

    /// Bytes for one place of the device.
    package struct Write: Sendable {
        enum Content: Sendable {
            case held(ArraySlice<UInt8>)
            case fetched(item: Int, any Source)
        }

        /// Where, in bytes from the device's start.
        package let offset: UInt64
        /// How many.
        package let byteCount: Int
        let content: Content

        /// Bytes that are held: an array is shared, not copied.
        package init(offset: UInt64, bytes: [UInt8]) {
            self.init(offset: offset, slice: bytes[...])
        }

        /// A part of bytes that are held as a whole.
        package init(offset: UInt64, slice: ArraySlice<UInt8>) {
            self.offset = offset
            byteCount = slice.count
            content = .held(slice)
        }

        /// Bytes that come from elsewhere (a log, say) when their phase is written, so that they need not fit into
        /// memory: a block or so each. Where they lie must not be changed by an earlier write.
        package init(offset: UInt64, byteCount: Int, item: Int, of source: any Source) {
            self.offset = offset
            self.byteCount = byteCount
            content = .fetched(item: item, source)
        }

        /// A copy of the bytes.
        package func bytes() throws(StorageError) -> [UInt8] {
            switch content {
            case .held(let slice): return Array(slice)
            case .fetched(let item, let source):
                var bytes = [UInt8](repeating: 0, count: byteCount)
                try bytes.withMutableBytes { (target) throws(StorageError) in
                    try source.fetch(item, into: &target)
                }
                return bytes
            }
        }

        func blockCount(of blockSize: UInt64) -> Int {
            guard byteCount > 0, let last = offset +? UInt64(byteCount - 1) else { return 0 }
            return Int(clamping: last / blockSize - offset / blockSize + 1)
        }
    }
}
