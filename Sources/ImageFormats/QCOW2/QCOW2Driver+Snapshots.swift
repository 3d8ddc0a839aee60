internal import Storage

extension QCOW2Driver {
    /// Bytes of a snapshot table entry before its variable part. Layout: qemu docs/interop/qcow2.txt, "Snapshots".
    private static let entrySize = 40
    /// Snapshots that are told of.
    private static let shownLimit = 1024

    /// The snapshots that an image names, the first thousand. Throws where the table ends early.
    static func snapshots(
        in file: any ByteFile, _ header: QCOW2Header
    ) throws(StorageError) -> [ImageInfo.Snapshot] {
        var found: [ImageInfo.Snapshot] = []
        var position = header.snapshotOffset
        for _ in 0..<min(Int(header.snapshotCount), shownLimit) {
            let fixed = try file.bytes(at: position, count: entrySize)
            let extraSize: UInt32 = fixed.big(36)
            let identifierSize = Int(fixed.big(12, as: UInt16.self))
            let nameSize = Int(fixed.big(14, as: UInt16.self))
            guard extraSize <= 1024 else { break }
            let rest = try file.bytes(
                at: position + UInt64(entrySize), count: Int(extraSize) + identifierSize + nameSize)
            var snapshot = ImageInfo.Snapshot(
                identifier: Array(rest[Int(extraSize)..<Int(extraSize) + identifierSize]),
                name: Array(rest.suffix(nameSize)), seconds: fixed.big(16), nanoseconds: fixed.big(20),
                clock: fixed.big(24), stateSize: UInt64(fixed.big(32, as: UInt32.self)))
            if extraSize >= 8 { snapshot.stateSize = rest.big(0) }
            if extraSize >= 24 {
                let count: UInt64 = rest.big(16)
                snapshot.instructionCount = count == .max ? nil : count
            }
            found.append(snapshot)
            position += (UInt64(entrySize + rest.count) + 7) & ~7
        }
        return found
    }
}
