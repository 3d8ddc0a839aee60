internal import Storage
internal import Synchronization

/// The tables of a format that is only read.
protocol ReadingTables: Sendable {
    /// The guest disk's size in bytes.
    var byteCount: UInt64 { get }

    /// The run at guest byte `offset`, which does not leave its cluster or block.
    mutating func piece(at offset: UInt64) throws(StorageError) -> Extent
}

/// The map of a format that is only read: what its tables say of one cluster after another, put together where it goes on.
final class ReadingMap<Tables: ReadingTables>: ImageMap {
    let byteCount: UInt64
    var sectorSize: UInt32 { 512 }
    let hostFiles: [any ByteFile]
    private let state: Mutex<State>

    private struct State: Sendable {
        var tables: Tables
        /// The last run that was found, so that small reads within it need no search.
        var run: Extent?
    }

    /// More clusters than this are not put together in one go: one call stays short on any map.
    private static var mergeLimit: Int { 1 << 14 }

    init(_ file: any ByteFile, _ tables: Tables) {
        byteCount = tables.byteCount
        hostFiles = [file]
        state = Mutex(State(tables: tables))
    }

    func extent(at offset: UInt64) throws(StorageError) -> Extent {
        do throws(StorageError) { return try run(at: offset) } catch {
            throw error.inFile(hostFiles[0].path)
        }
    }

    private func run(at offset: UInt64) throws(StorageError) -> Extent {
        try state.withLock { (state) throws(StorageError) in
            if let run = state.run, run.range.contains(offset) {
                return run.clamped(to: offset..<run.range.upperBound) ?? run
            }
            var extent = try state.tables.piece(at: offset)
            var pieces = 0
            while extent.range.upperBound < byteCount, pieces < Self.mergeLimit {
                // What is wrong further on is told when it is asked for.
                guard let next = try? state.tables.piece(at: extent.range.upperBound),
                    extent.isContinued(by: next)
                else { break }
                extent.range = offset..<next.range.upperBound
                pieces += 1
            }
            state.run = extent
            return extent
        }
    }
}

extension Extent {
    /// Whether the run behind this one is of its kind, and lies behind it in the file too.
    func isContinued(by next: Extent) -> Bool {
        switch kind {
        case .plain(let file, let offset):
            next.kind == .plain(file: file, offset: offset + (range.upperBound - range.lowerBound))
        case .zero, .absent: next.kind == kind
        case .memory, .compressed, .computed: false
        }
    }
}
