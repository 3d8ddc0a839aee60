package import Storage

extension Ext4Transaction {
    private func notBuilt(_ what: String) -> StorageError {
        StorageError(.unsupported, layer: "ext4", code: "operation-not-built", "\(what) is not supported yet")
    }

    package func createFile(
        _ name: [UInt8], in directory: FileID, contents: [UInt8], attributes: NewFileAttributes
    ) throws(StorageError) -> FileID { throw notBuilt("creating files") }
    package func createDirectory(
        _ name: [UInt8], in directory: FileID, attributes: NewFileAttributes
    ) throws(StorageError) -> FileID { throw notBuilt("creating directories") }
    package func createSymbolicLink(
        _ name: [UInt8], in directory: FileID, target: [UInt8], attributes: NewFileAttributes
    ) throws(StorageError) -> FileID { throw notBuilt("creating symbolic links") }
    package func createNode(
        _ name: [UInt8], in directory: FileID, type: FileType, device: FileAttributes.DeviceNumber?,
        attributes: NewFileAttributes
    ) throws(StorageError) -> FileID { throw notBuilt("creating nodes") }
    package func link(_ file: FileID, as name: [UInt8], in directory: FileID) throws(StorageError) {
        throw notBuilt("linking")
    }
    package func remove(_ name: [UInt8], in directory: FileID) throws(StorageError) {
        throw notBuilt("removing")
    }
    package func rename(
        _ name: [UInt8], in directory: FileID, to newName: [UInt8], in newDirectory: FileID
    ) throws(StorageError) { throw notBuilt("renaming") }
    package func truncate(_ file: FileID, to size: UInt64) throws(StorageError) {
        throw notBuilt("truncating")
    }
    package func setAttributes(of file: FileID, _ change: AttributeChange) throws(StorageError) {
        throw notBuilt("changing attributes")
    }
    package func setExtendedAttribute(
        _ name: [UInt8], of file: FileID, to value: [UInt8]?
    ) throws(StorageError) { throw notBuilt("changing extended attributes") }
}
