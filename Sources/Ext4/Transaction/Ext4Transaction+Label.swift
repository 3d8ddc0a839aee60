package import Storage

extension Ext4Transaction {
    /// Sets s_volume_name: at most 16 bytes without NUL.
    package func setLabel(_ label: [UInt8]) throws(StorageError) {
        try gate.requireOpen()
        guard label.count <= Superblock.labelByteCount, !label.contains(0) else {
            throw .ext4(.misuse, .badLabel, "a label has at most 16 bytes and no NUL")
        }
        guard superblock.label != label else { return }
        superblock.label = label
    }
}
