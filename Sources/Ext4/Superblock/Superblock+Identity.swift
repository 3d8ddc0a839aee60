internal import Storage

extension Superblock {
    /// ext2, ext3 or ext4 by libblkid's rule: by the features that the older drivers do not know.
    var kind: VolumeIdentity.Kind {
        if incompatible.contains(.journalDevice) { return VolumeIdentity.Kind(rawValue: "jbd") }
        let oldReadOnly: ReadOnlyFeatures = [.sparseSuper, .largeFiles, .treeDirectories]
        let oldIncompatible: IncompatibleFeatures = [.fileType, .metaBlockGroups, .needsRecovery]
        guard readOnly.isSubset(of: oldReadOnly), incompatible.isSubset(of: oldIncompatible) else {
            return .ext4
        }
        return compatible.contains(.hasJournal) ? .ext3 : .ext2
    }

    /// Kind, UUID, label and sizes, without a look at anything else.
    var identity: VolumeIdentity {
        let logBlockSize = word(Offset.logBlockSize)
        let blockSize: UInt64? = logBlockSize <= 6 ? 1024 << UInt64(logBlockSize) : nil
        return VolumeIdentity(
            kind: kind, uuid: UUID16(bytes: uuid).flatMap { $0.isZero ? nil : $0.description },
            label: label.isEmpty ? nil : label, version: "\(revision).\(half(0x3e))",
            byteCount: blockSize.flatMap { blockCount *? $0 },
            freeByteCount: blockSize.flatMap { freeBlockCount *? $0 },
            blockSize: blockSize.map { UInt32($0) })
    }
}
