internal import Storage
internal import Synchronization

/// An seSparse extent, which is only read: a directory and tables of 64-bit entries, whose uppermost four bits say what
/// they are.
///
/// Directory: 0 no table, 1 the table of the number in the low 32 bits. Tables: 0 not in this image, 1 unmapped by the
/// guest, 2 zeros, 3 a grain: its number has its low twelve bits in bits 48 to 59 and the others in bits 0 to 47. What the
/// guest has unmapped reads as zeros, as in qemu; it may hold anything by the guest's own word.
final class VMDKSESparseExtent: Sendable {
    /// What an entry of a table says.
    enum Entry: Equatable, Sendable {
        case absent
        case zero
        /// The grain's first byte in the file.
        case grain(UInt64)
    }

    let file: any ByteFile
    /// The file's place among the map's host files.
    let fileIndex: Int
    let header: VMDKSESparseHeader
    private let state: Mutex<State>

    private struct State: Sendable {
        /// The directory, read as it is needed: 32 MiB of it for the largest disk.
        var directory: TablePages
        var tables = BoundedCache<Int, [UInt8]>(budget: 4 << 20)
    }

    private typealias Header = VMDKSESparseHeader

    /// Checks the places that the header names. The journal is looked at too: see `VMDKSESparseHeader.requireSettled`.
    init(_ file: any ByteFile, fileIndex: Int, header: VMDKSESparseHeader) throws(StorageError) {
        try header.requireSettled(file)
        self.file = file
        self.fileIndex = fileIndex
        self.header = header
        let size = UInt64(header.tableCount) * 8
        guard header.directory.lowerBound + size <= file.byteCount else {
            throw .vmdk(
                .corrupt, .directoryPlace,
                "the grain directory does not lie inside the file; is it truncated?",
                structure: "seSparse header", field: "grain directory offset",
                offset: header.directory.lowerBound,
                path: file.path)
        }
        let start = header.directory.lowerBound
        state = Mutex(
            State(
                directory: TablePages(byteCount: size) { (offset, count) throws(StorageError) in
                    try file.bytes(at: start + offset, count: count)
                }))
    }

    /// The run at byte `offset` of the extent, which begins at byte `base` of the disk.
    func extent(at offset: UInt64, base: UInt64) throws(StorageError) -> Extent {
        let index = Int(offset / Header.tableSpan)
        guard let table = try table(index) else {
            let end = min(UInt64(index + 1) * Header.tableSpan, header.byteCount)
            return Extent(range: base + offset..<base + end, kind: .absent)
        }
        let slot = Int(offset % Header.tableSpan / Header.grainSize)
        let first = try entry(table, index, slot)
        var next = slot + 1
        var end = grainEnd(index, slot)
        while next < Header.entriesPerTable, end < header.byteCount {
            // One that is damaged ends the run, and fails when it is read itself.
            guard let following = try? entry(table, index, next), follows(following, first, next - slot)
            else { break }
            end = grainEnd(index, next)
            next += 1
        }
        let kind: Extent.Kind =
            switch first {
            case .absent: .absent
            case .zero: .zero
            case .grain(let place): .plain(file: fileIndex, offset: place + offset % Header.grainSize)
            }
        return Extent(range: base + offset..<base + end, kind: kind)
    }

    private func follows(_ entry: Entry, _ first: Entry, _ distance: Int) -> Bool {
        guard case .grain(let start) = first else { return entry == first }
        return entry == .grain(start + UInt64(distance) * Header.grainSize)
    }

    private func grainEnd(_ index: Int, _ slot: Int) -> UInt64 {
        min(UInt64(index) * Header.tableSpan + UInt64(slot + 1) * Header.grainSize, header.byteCount)
    }

    /// The table's bytes; nil when the directory has none.
    func table(_ index: Int) throws(StorageError) -> [UInt8]? {
        if let known = state.withLock({ $0.tables.value(for: index) }) { return known }
        guard let place = try tablePlace(index) else { return nil }
        let bytes = try file.bytes(at: place, count: Header.tableByteCount)
        state.withLock { $0.tables.keep(bytes, for: index, cost: bytes.count) }
        return bytes
    }

    /// Where a table lies; nil when the directory has none.
    func tablePlace(_ index: Int) throws(StorageError) -> UInt64? {
        let at = UInt64(index) * 8
        let value: UInt64 = try state.withLock { (state) throws(StorageError) in
            try state.directory.page(holding: at).little(Int(at % UInt64(TablePages.pageSize)))
        }
        guard value != 0 else { return nil }
        func damaged(_ message: String) -> StorageError {
            .vmdk(
                .corrupt, .grainTable, message, structure: "grain directory", field: "entry \(index)",
                offset: header.directory.lowerBound + at, path: file.path)
        }
        guard value >> 32 == 0x1000_0000 else {
            throw damaged("\(value.hex) is no entry of a grain directory")
        }
        let place = header.tables.lowerBound + (value & 0xffff_ffff) * UInt64(Header.tableByteCount)
        let end = place + UInt64(Header.tableByteCount)
        guard end <= header.tables.upperBound, end <= file.byteCount else {
            throw damaged("the grain table lies past the end of the tables or of the file; is it truncated?")
        }
        return place
    }

    /// The entry of a table, when it is one and its grain lies in the file.
    func entry(_ table: [UInt8], _ index: Int, _ slot: Int) throws(StorageError) -> Entry {
        let value: UInt64 = table.little(slot * 8)
        switch value >> 60 {
        case 0 where value == 0: return .absent
        case 1, 2: return .zero
        case 3:
            let number = value >> 48 & 0xfff | (value & 0xffff_ffff_ffff) << 12
            let start = UInt64(index) * Header.tableSpan + UInt64(slot) * Header.grainSize
            let needed = min(Header.grainSize, header.byteCount - min(start, header.byteCount))
            guard let bytes = number *? Header.grainSize, let place = bytes +? header.grainsOffset,
                let end = place +? needed, end <= file.byteCount
            else {
                throw .vmdk(
                    .corrupt, .grainPlace, "a grain lies past the end of the file; is it truncated?",
                    structure: "grain table \(index)", field: "entry \(slot)", path: file.path)
            }
            return .grain(place)
        default:
            throw .vmdk(
                .corrupt, .grainEntry, "\(value.hex) is no entry of a grain table",
                structure: "grain table \(index)", field: "entry \(slot)", path: file.path)
        }
    }
}
