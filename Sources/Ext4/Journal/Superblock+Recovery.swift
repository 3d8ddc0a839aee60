internal import Storage

extension Superblock {
    /// Whether the journal has changes to replay: RECOVER in `s_feature_incompat`. The kernel wipes the journal,
    /// and e2fsck stops, when the flag does not go with what the journal holds.
    var needsRecovery: Bool {
        get { incompatible.contains(.needsRecovery) }
        set {
            var features = incompatible
            if newValue { features.insert(.needsRecovery) } else { features.remove(.needsRecovery) }
            bytes.storeLittle(features.rawValue, at: Offset.incompatible)
        }
    }

    /// Notes that the orphan file lists nothing.
    mutating func clearOrphanPresent() {
        var features = readOnly
        features.remove(.orphansPresent)
        bytes.storeLittle(features.rawValue, at: Offset.readOnly)
    }

    /// The superblock with the flag set or cleared, and its checksum right.
    func settingNeedsRecovery(_ flag: Bool) -> Superblock {
        var copy = self
        copy.needsRecovery = flag
        copy.updateChecksum()
        return copy
    }

    /// The block that holds the primary superblock, and the byte at which it starts there.
    static func place(blockSize: Int) -> (block: UInt64, offset: Int) {
        let (block, offset) = Int(byteOffset).quotientAndRemainder(dividingBy: blockSize)
        return (UInt64(block), offset)
    }
}
