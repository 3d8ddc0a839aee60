internal import Storage

/// A swap area's label: 16 bytes at 1052 (linux/swap.h, union swap_header). Areas of the form before 1998, "SWAP-SPACE", have a
/// bitmap of pages there.
enum SwapLabel {
    /// Where it lies in the area.
    static let offset: UInt64 = 1052

    /// The bytes of a label. Throws `refused` for one that is too long, and where an area has none.
    static func bytes(_ label: [UInt8], for area: VolumeIdentity) throws(StorageError) -> [UInt8] {
        guard area.version != "0" else {
            throw StorageError(
                .refused, SwapCode.noLabel,
                "a swap area of the old form has no place for a label; make it anew with mkswap in the guest")
        }
        guard label.count <= 16, !label.contains(0) else {
            throw StorageError(
                .refused, SwapCode.labelTooLong, "a swap area's label has at most 16 bytes")
        }
        return label + [UInt8](repeating: 0, count: 16 - label.count)
    }
}
