/// A block of the guest's disk, counted from the disk's start.
struct VDIBlock: Hashable, Comparable, Sendable {
    var rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }
    static func < (left: VDIBlock, right: VDIBlock) -> Bool { left.rawValue < right.rawValue }
}

/// A block's place in the file, counted in blocks from the start of the data.
struct VDISlot: Hashable, Comparable, Sendable {
    var rawValue: UInt32
    init(_ rawValue: UInt32) { self.rawValue = rawValue }
    static func < (left: VDISlot, right: VDISlot) -> Bool { left.rawValue < right.rawValue }
}

/// An entry of the block map: VirtualBox's `VDI_IMAGE_BLOCK_FREE` and `VDI_IMAGE_BLOCK_ZERO`, or a place.
enum VDIEntry: Equatable, Sendable {
    /// Nothing: the parent's bytes, and zeros where there is no parent.
    case free
    /// Zeros, whatever a parent has.
    case zero
    /// The block lies in the file.
    case placed(VDISlot)

    init(raw: UInt32) {
        switch raw {
        case .max: self = .free
        case .max - 1: self = .zero
        default: self = .placed(VDISlot(raw))
        }
    }

    /// The first number that is no place.
    static let slotLimit = UInt32.max - 1
}
