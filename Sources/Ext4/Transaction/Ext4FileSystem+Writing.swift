package import Storage

extension Ext4FileSystem: WritableFileSystem {
    /// Begins a change. Throws `refused` or `unsupported` when the volume must not be written, naming what to do.
    package func begin() throws(StorageError) -> Ext4Transaction {
        try Ext4Transaction(self, writeTarget(), now: options.now ?? .now)
    }
}
