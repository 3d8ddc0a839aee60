internal import Codecs
package import Storage
internal import Synchronization

/// Writes a streamOptimized VMDK from its first byte to its last, never going back: into a file, an archive or a pipe.
///
///     header (version 3, gdOffset -1), descriptor, zeros up to sector 128
///     for each grain table that has any grain:
///         its grains in the order of the disk: sector, length, zlib stream, zeros up to a sector
///         a marker, the table
///     a marker, the directory
///     a marker, the footer: the header with the directory's place
///     an end-of-stream marker
///
/// Grains of zeros are left out; a table without grains has the entry 0. (VMware, "Virtual Disk Format 5.0",
/// "Stream-Optimized Compressed Sparse Extents"; what ESX, vSphere and ovftool insist on is version 3 and the markers.)
package final class VMDKStreamWriter: EncodedImageWriter {
    package let byteCount: UInt64
    package var unit: UInt64 { VMDKStreamLayout.grainSize }
    package var codec: CodecID { .zlib }
    package let level: Int?
    package var takesPlainUnits: Bool { false }
    package var isSequential: Bool { true }

    private let output: any ByteOutput
    private let layout: VMDKStreamLayout
    private let state: Mutex<State>

    private struct State: Sendable {
        /// What goes to the output in one piece.
        var pending: [UInt8]
        /// The stream's byte behind `pending`.
        var position: UInt64
        var directory: [UInt32]
        /// The table that is being filled, and its index; 0 in it: no grain.
        var table: [UInt32]
        var tableIndex = 0
        /// The disk's byte behind the last grain.
        var end: UInt64 = 0
        var isFinished = false
    }

    /// Bytes that are gathered before they go to the output.
    private static let pieceSize = 1 << 20

    /// A stream of a disk of `byteCount` bytes, whose descriptor calls its file `name`, with `options` as `create` takes them
    /// (`subformat` is streamOptimized, said or not). The disk's size is rounded up to whole sectors.
    package convenience init(
        to output: any ByteOutput, name: String, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) {
        var options = options
        options.values.append(("subformat", VMDKCreateOptions.Subformat.streamOptimized.rawValue))
        try self.init(to: output, name: name, byteCount: byteCount, try VMDKCreateOptions(options), options)
    }

    init(
        to output: any ByteOutput, name: String, byteCount: UInt64, _ known: VMDKCreateOptions,
        _ options: ImageCreateOptions
    ) throws(StorageError) {
        let size = try VMDKDriver.checkedSize(byteCount, of: name, options)
        let text = try VMDKNewDescriptor(
            options: known, byteCount: size,
            extents: [VMDKNewExtent(name: HostPath.name(of: name), range: 0..<size)],
            contentID: try VMDKContentID.random()
        ).text()
        try VMDKDriver.requireRoom(for: text, path: name)
        self.byteCount = size
        level = known.compressionLevel
        self.output = output
        layout = try VMDKStreamLayout(byteCount: size)
        var head = layout.header(directorySector: VMDKSparseHeader.atFooter) + text
        head += [UInt8](repeating: 0, count: Int(VMDKStreamLayout.overhead) - head.count)
        state = Mutex(
            State(
                pending: head, position: VMDKStreamLayout.overhead,
                directory: [UInt32](repeating: 0, count: layout.tableCount),
                table: VMDKStreamLayout.emptyTable))
    }

    package func write(_ encoded: [UInt8], of range: Range<UInt64>) throws(StorageError) {
        let (start, grain) = (range.lowerBound, VMDKStreamLayout.grainSize)
        guard start % grain == 0, range.upperBound == min(start + grain, byteCount), start < byteCount else {
            throw .vmdk(.misuse, .outOfRange, "is no grain of the disk", offset: start, path: output.path)
        }
        // What another stream calls a grain is taken over as it is, but not for what it cannot be.
        guard encoded.count > 6, encoded.count <= 2 * Int(grain), encoded[0] & 15 == 8,
            (UInt16(encoded[0]) << 8 | UInt16(encoded[1])) % 31 == 0
        else {
            throw .vmdk(
                .corrupt, .grainHeader, "a compressed grain does not begin as zlib's streams do",
                offset: start)
        }
        let (index, slot) = layout.place(of: start)
        var head = [UInt8](repeating: 0, count: 12)
        head.storeLittle(start / VMDKSparseHeader.sectorSize, at: 0)
        head.storeLittle(UInt32(encoded.count), at: 8)
        let piece = try state.withLock { (state) throws(StorageError) -> [UInt8] in
            guard start >= state.end, !state.isFinished else {
                throw .vmdk(
                    .misuse, .outOfRange, "a stream's grains come in the order of the disk", offset: start,
                    path: output.path)
            }
            if index != state.tableIndex { try endTable(&state) }
            state.tableIndex = index
            state.table[slot] = try sector(of: state)
            state.end = range.upperBound
            append(head + encoded, to: &state)
            return take(&state, atLeast: Self.pieceSize)
        }
        try send(piece)
    }

    package func write(plain bytes: RawSpan, at offset: UInt64) throws(StorageError) {
        throw .vmdk(.misuse, .grainHeader, "every grain of a stream is compressed", offset: offset)
    }

    package func startWriteback() { output.startWriteback() }

    package func finish() throws(StorageError) {
        let rest = try state.withLock { (state) throws(StorageError) -> [UInt8] in
            guard !state.isFinished else {
                throw .vmdk(.misuse, .outOfRange, "the stream has ended", path: output.path)
            }
            try endTable(&state)
            let directory = state.directory.littleEndianBytes
            append(VMDKStreamLayout.marker(.directory, byteCount: directory.count), to: &state)
            let place = UInt64(try sector(of: state))
            append(directory, to: &state)
            append(VMDKStreamLayout.marker(.footer, byteCount: VMDKSparseHeader.byteSize), to: &state)
            append(layout.header(directorySector: place), to: &state)
            append(VMDKStreamLayout.marker(.endOfStream, byteCount: 0), to: &state)
            state.isFinished = true
            return take(&state, atLeast: 0)
        }
        try send(rest)
        try output.flush()
    }

    /// Marker and table behind the grains that the table names.
    private func endTable(_ state: inout State) throws(StorageError) {
        guard state.table.contains(where: { $0 != 0 }) else { return }
        let bytes = state.table.littleEndianBytes
        append(VMDKStreamLayout.marker(.table, byteCount: bytes.count), to: &state)
        state.directory[state.tableIndex] = try sector(of: state)
        append(bytes, to: &state)
        state.table = VMDKStreamLayout.emptyTable
    }

    /// The sector that comes next.
    private func sector(of state: State) throws(StorageError) -> UInt32 {
        guard let sector = VMDKSector(containing: state.position) else {
            throw .vmdk(
                .refused, .fileFull, "a stream cannot grow past 2 TiB; use the vmfs subformat",
                path: output.path)
        }
        return sector.rawValue
    }

    /// Puts bytes, and zeros up to a whole sector, behind what is to be written.
    private func append(_ bytes: [UInt8], to state: inout State) {
        let sector = Int(VMDKSparseHeader.sectorSize)
        let padding = (sector - bytes.count % sector) % sector
        state.pending += bytes
        state.pending += repeatElement(0, count: padding)
        state.position += UInt64(bytes.count + padding)
    }

    private func take(_ state: inout State, atLeast count: Int) -> [UInt8] {
        guard state.pending.count >= count else { return [] }
        let piece = state.pending
        state.pending = []
        state.pending.reserveCapacity(Self.pieceSize + 2 * Int(VMDKStreamLayout.grainSize))
        return piece
    }

    private func send(_ piece: [UInt8]) throws(StorageError) {
        if !piece.isEmpty { try output.append(piece.span8) }
    }
}
