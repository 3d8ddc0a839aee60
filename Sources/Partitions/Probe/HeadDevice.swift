internal import Storage

/// A device whose first bytes were read already: what every driver asks for anew comes from there. For reading.
final class HeadDevice: BlockDevice {
    private let base: any BlockDevice
    private let head: [UInt8]

    var byteCount: UInt64 { base.byteCount }
    var sectorSize: UInt32 { base.sectorSize }
    var hostFiles: [any ByteFile] { base.hostFiles }

    init(_ base: any BlockDevice, head: [UInt8]) {
        self.base = base
        self.head = head
    }

    func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        let head = head
        guard offset <= UInt64(head.count), target.byteCount <= head.count - Int(offset) else {
            return try base.read(into: &target, at: offset)
        }
        target.copy(head.span8.extracting(Int(offset)..<Int(offset) + target.byteCount), to: 0)
    }

    func nextExtent(at offset: UInt64) throws(StorageError) -> Extent { try base.nextExtent(at: offset) }
}
