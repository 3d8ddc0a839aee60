internal import Storage
internal import Synchronization

extension QCOW2Map: WritableImageMap {
    func beginWriting() throws(StorageError) {
        try tables.withLock { (tables) throws(StorageError) in try tables.beginSession() }
    }

    func prepareWriting(at offset: UInt64) throws(StorageError) -> WriteTarget {
        try tables.withLock { (tables) throws(StorageError) in try tables.prepareWriting(at: offset) }
    }

    func allocate(_ range: Range<UInt64>) throws(StorageError) -> Allocation {
        try tables.withLock { (tables) throws(StorageError) in try tables.allocate(range) }
    }

    func commit() throws(StorageError) {
        try tables.withLock { (tables) throws(StorageError) in try tables.commit() }
    }
}
