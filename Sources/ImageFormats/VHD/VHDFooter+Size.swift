internal import Storage

/// Which of a footer's two sizes is the disk's.
public enum VHDSizeRule: String, Sendable, CaseIterable {
    /// By who made it: the way qemu and Windows come to the same size for their own disks.
    case byCreator = "auto"
    /// current_size, always.
    case currentSize = "current_size"
    /// Cylinders × heads × sectors, always.
    case geometry = "chs"
}

extension VHDFooter {
    /// Creators whose current_size is the size, the geometry being a rounding of it: Windows, qemu with
    /// force_size, disk2vhd (which ends its name with NUL), Citrix, blktap. qemu's block/vpc.c has the same list.
    private static let exactCreators = ["win ", "qem2", "CTXS", "tap\0"].map { Array($0.utf8) }
    /// Creators that mean the geometry: Virtual PC, and qemu without force_size.
    private static let geometryCreators = ["vpc ", "qemu"].map { Array($0.utf8) }

    /// Whether every reader takes the size from current_size.
    var isExact: Bool {
        Self.exactCreators.contains(creator) || creator.starts(with: Array("d2v".utf8))
    }

    /// Whether qemu does too, which knows disk2vhd by a blank behind its name and finds NUL there.
    var isExactForAll: Bool { isExact && creator != Array("d2v\0".utf8) }

    /// The guest disk's size in bytes, a whole number of sectors.
    func byteCount(by rule: VHDSizeRule = .byCreator) -> UInt64 {
        let current = currentSize & ~511
        let byGeometry = geometry.sectorCount * 512
        switch rule {
        case .currentSize: return current
        case .geometry: return byGeometry
        case .byCreator:
            if isExact { return current }
            // The largest geometry says "at least so much". Creators that qemu does not know write an exact
            // current_size; those two round, and write a geometry that is not above it.
            guard geometry != .maximum, Self.geometryCreators.contains(creator), byGeometry < current else {
                return current
            }
            return byGeometry
        }
    }
}
