internal import Storage

/// Fields that no reader needs and that the kernel looks at before it mounts (xfs_sb_validate_common, Linux 6.18): a volume in which
/// one of them is wrong can be read, and is neither written nor sound.
extension Superblock {
    /// A field that no volume has so.
    struct Fault: Sendable {
        var field: String
        var offset: Int
    }

    /// sb_versionnum's bits of no kernel that is left ("shared"), and those that version 5 has to have.
    private enum Bits {
        static let unknown: UInt16 = 0x200
        static let sectors: UInt16 = 0x800
        static let stripes: UInt16 = 0x100
        static let needed: UInt16 = 0xb4a0
        static let needed2: UInt32 = 0x18a
    }

    /// XFS_MAX_LOG_BLOCKS, XFS_MAX_LOG_BYTES, XLOG_MAX_RECORD_BSIZE.
    private static let logBlockLimit: UInt32 = 1 << 20
    private static let logByteLimit: UInt64 = 1 << 31 - 10 << 20
    private static let logUnitLimit: UInt32 = 256 << 10

    /// The first fault; nil where there is none. `geometry` is this superblock's.
    func fault(_ geometry: Geometry) -> Fault? {
        faultOfFeatures ?? faultOfQuotas ?? faultOfLog(geometry) ?? faultOfRealTime(geometry)
            ?? faultOfStripe(geometry) ?? faultOfInodes(geometry)
    }

    private var faultOfFeatures: Fault? {
        let bits = half(Offset.version)
        if bits & Bits.unknown != 0 || version == 5 && bits & Bits.needed != Bits.needed {
            return Fault(field: "sb_versionnum", offset: Offset.version)
        }
        // New features have had other fields since version 5: no volume will have more of these.
        let isKnown = features2.isSubset(of: .known(inVersion: version))
        if !isKnown || version == 5 && word(Offset.features2) & Bits.needed2 != Bits.needed2 {
            return Fault(field: "sb_features2", offset: Offset.features2)
        }
        return byte(Offset.sharedVersion) == 0
            ? nil : Fault(field: "sb_shared_vn", offset: Offset.sharedVersion)
    }

    /// Groups' and projects' quotas share their bits up to version 4, and have bits of their own since.
    private var faultOfQuotas: Fault? {
        let foreign: UInt16 = version == 5 ? 0x0030 : 0x0780
        return half(Offset.quotaFlags) & foreign == 0
            ? nil : Fault(field: "sb_qflags", offset: Offset.quotaFlags)
    }

    private func faultOfLog(_ geometry: Geometry) -> Fault? {
        let blocks = word(Offset.logBlockCount)
        if blocks > Self.logBlockLimit || UInt64(blocks) * UInt64(geometry.blockSize) > Self.logByteLimit {
            return Fault(field: "sb_logblocks", offset: Offset.logBlockCount)
        }
        let size = half(Offset.logSectorSize)
        let log = byte(Offset.logSectorLog)
        let hasSectors = half(Offset.version) & Bits.sectors != 0
        guard hasSectors ? log < 16 && Int(size) == 1 << log : size == 0 && log == 0 else {
            return Fault(field: "sb_logsectsize", offset: Offset.logSectorSize)
        }
        let unit = word(Offset.logUnit)
        guard unit <= 1 || unit <= Self.logUnitLimit && Int(unit) % geometry.blockSize == 0 else {
            return Fault(field: "sb_logsunit", offset: Offset.logUnit)
        }
        return nil
    }

    private func faultOfRealTime(_ geometry: Geometry) -> Fault? {
        // XFS_MIN_RTEXTSIZE, XFS_MAX_RTEXTSIZE.
        let extent = UInt64(word(Offset.realTimeExtentSize)) * UInt64(geometry.blockSize)
        guard (4 << 10...1 << 30).contains(extent) else {
            return Fault(field: "sb_rextsize", offset: Offset.realTimeExtentSize)
        }
        guard long(Offset.realTimeBlockCount) == 0 else { return nil }
        guard long(Offset.realTimeExtentCount) == 0, word(Offset.realTimeBitmapBlockCount) == 0,
            byte(Offset.realTimeExtentLog) == 0, long(Offset.freeRealTimeExtentCount) == 0
        else { return Fault(field: "sb_rextents", offset: Offset.realTimeExtentCount) }
        return nil
    }

    /// A unit and a width, one a multiple of the other, or none, as the version's bit says.
    private func faultOfStripe(_ geometry: Geometry) -> Fault? {
        let unit = word(Offset.stripeUnit)
        let width = word(Offset.stripeWidth)
        guard (unit != 0) == (half(Offset.version) & Bits.stripes != 0) else {
            return Fault(field: "sb_unit", offset: Offset.stripeUnit)
        }
        guard
            unit == 0
                ? width == 0
                : width >= unit && width % unit == 0
                    && UInt64(width) * UInt64(geometry.blockSize) <= UInt64(Int32.max)
        else { return Fault(field: "sb_width", offset: Offset.stripeWidth) }
        return nil
    }

    private func faultOfInodes(_ geometry: Geometry) -> Fault? {
        guard byte(Offset.maximumInodePercent) <= 100 else {
            return Fault(field: "sb_imax_pct", offset: Offset.maximumInodePercent)
        }
        guard geometry.incompatible.contains(.sparseInodes) else { return nil }
        // Whole chunks have to lie as pieces of them may.
        let chunk = UInt32(64 * geometry.inodeSize / geometry.blockSize)
        let part = word(Offset.sparseInodeAlignment)
        guard geometry.inodeAlignment == chunk else {
            return Fault(field: "sb_inoalignmt", offset: Offset.inodeAlignment)
        }
        return part == 0 || part <= chunk && chunk % part == 0
            ? nil : Fault(field: "sb_spino_align", offset: Offset.sparseInodeAlignment)
    }

    /// What a fault is told as.
    func error(_ fault: Fault) -> StorageError {
        .xfs(
            .corrupt, .badSuperblock,
            "the superblock has a value in \(fault.field) with which no kernel mounts the volume; run xfs_repair",
            structure: "superblock", field: fault.field, offset: UInt64(fault.offset))
    }
}

extension Superblock {
    /// Whether a copy contradicts itself in nothing. mkfs.xfs makes copies while it is at work (sb_inprogress), without quotas;
    /// the kernel makes them anew when a volume grows, with all that the first one has then.
    var isSoundCopy: Bool {
        guard let geometry = try? geometry(isCopy: true), fault(geometry) == nil, byte(Offset.flags) == 0
        else {
            return false
        }
        guard byte(Offset.inProgress) != 0 else { return true }
        let inodes =
            [Offset.userQuotaInode, Offset.groupQuotaInode]
            + (version == 5 ? [Offset.projectQuotaInode] : [])
        return half(Offset.quotaFlags) == 0 && inodes.allSatisfy { [0, .max].contains(long($0)) }
    }
}
