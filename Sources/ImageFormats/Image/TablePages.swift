internal import Storage

/// A window on a table of any size in an image: pages are read when they are needed and kept under a budget, so
/// that a table of 512 MiB costs no more memory than one of 5.
struct TablePages: Sendable {
    static let pageSize = 64 << 10

    /// The table's size in bytes.
    let byteCount: UInt64
    private let load: @Sendable (_ offset: UInt64, _ count: Int) throws(StorageError) -> [UInt8]
    private var pages: BoundedCache<UInt64, [UInt8]>

    /// `load` reads the table's bytes, positions counted from its start.
    init(
        byteCount: UInt64, budget: Int = 4 << 20,
        load: @escaping @Sendable (_ offset: UInt64, _ count: Int) throws(StorageError) -> [UInt8]
    ) {
        self.byteCount = byteCount
        pages = BoundedCache(budget: budget)
        self.load = load
    }

    /// The page that holds byte `offset`, which is below `byteCount`; the last one may be shorter.
    mutating func page(holding offset: UInt64) throws(StorageError) -> [UInt8] {
        let index = offset / UInt64(Self.pageSize)
        if let known = pages.value(for: index) { return known }
        let start = index * UInt64(Self.pageSize)
        guard start < byteCount else { return [] }
        let page = try load(start, Int(min(UInt64(Self.pageSize), byteCount - start)))
        pages.keep(page, for: index, cost: Self.pageSize)
        return page
    }

    /// Follows what was written to the table in the file.
    mutating func update(_ bytes: [UInt8], at offset: UInt64) {
        var done = 0
        while done < bytes.count {
            let position = offset + UInt64(done)
            let within = Int(position % UInt64(Self.pageSize))
            let count = min(bytes.count - done, Self.pageSize - within)
            let index = position / UInt64(Self.pageSize)
            var isHeld = false
            pages.change(index) { page in
                guard within + count <= page.count else { return }
                page.replaceSubrange(within..<within + count, with: bytes[done..<done + count])
                isHeld = true
            }
            if !isHeld { pages.remove(index) }
            done += count
        }
    }
}
