internal import Storage
internal import Synchronization

extension VHDDynamicMap {
    /// Tables up to this size are checked whole when a disk is opened; larger ones before the first write.
    static let eagerTableLimit: UInt64 = 1 << 20

    /// Throws when a block ends past byte `limit` of the file, or lies on a table or on another block.
    func checkTable(limit: UInt64) throws(StorageError) {
        // Sector in the high half, block in the low one: sorted by place. Never more than the table's own bytes.
        var found: [UInt64] = []
        var isAscending = true
        try state.withLock { (state) throws(StorageError) in
            var index: UInt64 = 0
            while index < blockCount {
                let page = try state.table.page(holding: index * 4)
                guard page.count >= 4 else { break }
                let span = page.span8
                for slot in 0..<page.count / 4 {
                    let block = index + UInt64(slot)
                    let sector: UInt32 = span.big(slot * 4)
                    guard sector != Self.unused else { continue }
                    try check(sector, of: block, limit: limit)
                    let pair = UInt64(sector) << 32 | block
                    if let last = found.last, last > pair { isAscending = false }
                    found.append(pair)
                }
                index += UInt64(page.count / 4)
            }
        }
        if !isAscending { found.sort() }
        for index in found.indices.dropFirst() {
            let low = found[index - 1] & 0xffff_ffff
            let high = found[index] & 0xffff_ffff
            let distance = ((found[index] >> 32) - (found[index - 1] >> 32)) * 512
            guard distance < bitmapSize + length(of: low) else { continue }
            throw .vhd(
                .corrupt, .blocksOverlap,
                "blocks \(min(low, high)) and \(max(low, high)) overlap in the file",
                structure: "block allocation table", offset: header.tableOffset + high * 4)
        }
    }
}
