internal import Storage

extension Superblock {
    /// ext2, ext3 or ext4 by libblkid's rule: by the features that the older drivers do not know, in every revision.
    ///
    /// One case blkid has no name for: a journal to replay and no journal. Only the ext4 driver looks at such a volume,
    /// and only e2fsck ends the state.
    var kind: VolumeIdentity.Kind {
        if incompatible.contains(.journalDevice) { return VolumeIdentity.Kind(rawValue: "jbd") }
        let oldReadOnly: ReadOnlyFeatures = [.sparseSuper, .largeFiles, .treeDirectories]
        let oldIncompatible: IncompatibleFeatures = [.fileType, .metaBlockGroups]
        guard readOnly.isSubset(of: oldReadOnly) else { return .ext4 }
        return if compatible.contains(.hasJournal) {
            incompatible.isSubset(of: oldIncompatible.union(.needsRecovery)) ? .ext3 : .ext4
        } else {
            incompatible.isSubset(of: oldIncompatible) ? .ext2 : .ext4
        }
    }

    /// Kind, UUID, label and sizes, without a look at anything else.
    var identity: VolumeIdentity {
        let blockSize: UInt64? = hasKnownBlockSize ? 1024 << UInt64(word(Offset.logBlockSize)) : nil
        return VolumeIdentity(
            kind: kind, uuid: UUID16(bytes: uuid).flatMap { $0.isZero ? nil : $0.description },
            label: shownLabel, version: "\(revision).\(half(0x3e))",
            byteCount: blockSize.flatMap { blockCount *? $0 },
            freeByteCount: blockSize.flatMap { freeBlockCount *? $0 },
            blockSize: blockSize.map { UInt32($0) })
    }

    /// What the device is by its superblock. Two bytes are little for a signature: fields that no mke2fs writes, and a
    /// checksum that is wrong, make it a weak one, which still is e2fsck's to look at.
    var signature: VolumeSignature {
        let strength: VolumeSignature.Strength =
            if !hasKnownBlockSize || !hasValidChecksum {
                .weak
            } else {
                readOnly.contains(.metadataChecksums) ? .verified : .firm
            }
        return VolumeSignature(
            identity, strength, holdsFiles: !incompatible.contains(.journalDevice))
    }

    var hasNoFeatures: Bool { compatible.isEmpty && incompatible.isEmpty && readOnly.isEmpty }

    private var hasKnownBlockSize: Bool { word(Offset.logBlockSize) <= 6 }

    /// The label as blkid and udev have it, and so every `LABEL=`: without white space behind; nil when nothing is left.
    private var shownLabel: [UInt8]? {
        var text = label[...]
        while let last = text.last, last == 0x20 || (0x09...0x0d).contains(last) { text.removeLast() }
        return text.isEmpty ? nil : Array(text)
    }
}
