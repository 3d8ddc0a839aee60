internal import Storage

/// A volume as the check reads it: a wrong checksum is noted and the reading goes on.
final class CheckView: VolumeView {
    let geometry: Geometry
    let superblock: Superblock
    let store: BlockStore
    private let sink: CheckSink

    var kind: VolumeIdentity.Kind { superblock.kind }

    init(_ device: any BlockDevice, _ superblock: Superblock, _ geometry: Geometry, _ sink: CheckSink) {
        self.geometry = geometry
        self.superblock = superblock
        self.sink = sink
        store = BlockStore(device, geometry: geometry, cacheByteCount: 16 << 20)
    }

    func block(_ number: BlockNumber) throws(StorageError) -> [UInt8] { try store.block(number) }

    func readData(
        into target: inout MutableRawSpan, from first: BlockNumber, skip: Int
    ) throws(StorageError) {
        try store.read(into: &target, from: first, skip: skip)
    }

    func checksumFailure(
        _ code: Ext4Code, _ message: String, structure: String, offset: UInt64
    ) throws(StorageError) {
        sink.add(
            Finding(.damage, code, message, structure: structure, offset: offset))
    }
}
