internal import Storage

extension VolumeCheck {
    /// The hash index: it leads to every block, and to every name.
    func checkIndex(of directory: Inode, blockCount: UInt64) throws(StorageError) {
        let defect = try sink.attempt(inode: directory.number.rawValue) { () throws(StorageError) in
            try view.indexDefect(of: directory, blockCount: blockCount)
        }
        if let defect = defect ?? nil { add(.directoryIndex, directory, "has a damaged index: \(defect)") }
    }
}
