internal import Storage
internal import Synchronization

/// The map of a qcow2 image.
final class QCOW2Map: ImageMap {
    let byteCount: UInt64
    let sectorSize: UInt32 = 512
    let hostFiles: [any ByteFile]
    let tables: Mutex<QCOW2Tables>

    init(file: any ByteFile, header: QCOW2Header, isSalvage: Bool = false) {
        byteCount = header.virtualSize
        hostFiles = [file]
        tables = Mutex(QCOW2Tables(file: file, header: header, isSalvage: isSalvage))
    }

    func extent(at offset: UInt64) throws(StorageError) -> Extent {
        try tables.withLock { (tables) throws(StorageError) in try tables.extent(at: offset) }
    }
}
