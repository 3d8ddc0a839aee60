internal import Storage

/// A table of tables, as qcow version 1 and QED have it: the entries of the first name the second ones, whose entries name
/// clusters. All numbers have 64 bits and count bytes of the file.
struct TwoLevelTable: Sendable {
    /// Where the first table lies.
    let offset: UInt64
    /// How many entries it has.
    let count: UInt64
    /// The binary logarithm of how many entries a second table has.
    let secondBits: UInt64
    private let isBigEndian: Bool
    /// The file, in which tables lie anywhere.
    private var pages: TablePages
    private let fileEnd: UInt64

    init(_ file: any ByteFile, offset: UInt64, count: UInt64, secondBits: UInt64, isBigEndian: Bool) {
        self.offset = offset
        self.count = count
        self.secondBits = secondBits
        self.isBigEndian = isBigEndian
        fileEnd = file.byteCount
        pages = TablePages(byteCount: file.byteCount) { (start, length) throws(StorageError) in
            try file.bytes(at: start, count: length)
        }
    }

    /// Bytes of a second table.
    var secondByteCount: UInt64 { 8 << secondBits }

    /// Where the second table number `index` lies; nil where there is none, and for an index behind the first table's end.
    mutating func second(_ index: UInt64) throws(StorageError) -> UInt64? {
        guard index < count else { return nil }
        let place = try entry(at: offset + index * 8)
        return place == 0 ? nil : place
    }

    /// Entry number `index` of the second table at `place`, which `contains` called one of the file's.
    mutating func entry(_ index: UInt64, of place: UInt64) throws(StorageError) -> UInt64 {
        try entry(at: place + index * 8)
    }

    /// Whether a second table, or something else of so many bytes, lies in the file there.
    func contains(_ place: UInt64, count: UInt64) -> Bool {
        guard let end = place +? count else { return false }
        return end <= fileEnd
    }

    /// The entry at a byte of the file that is a multiple of 8; 0 behind its end.
    private mutating func entry(at place: UInt64) throws(StorageError) -> UInt64 {
        guard place < fileEnd else { return 0 }
        let page = try pages.page(holding: place)
        let within = Int(place % UInt64(TablePages.pageSize))
        guard within + 8 <= page.count else { return 0 }
        return isBigEndian ? page.big(within) : page.little(within)
    }
}
