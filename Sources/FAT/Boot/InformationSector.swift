internal import Storage

/// FSInfo, where FAT32 keeps how many clusters are free: hints, 2^32 - 1 for unknown (fatgen103).
struct InformationSector: Sendable {
    static let byteCount = 512
    static let freeCountOffset = 488
    static let nextFreeOffset = 492
    static let unknown = UInt32.max

    let bytes: [UInt8]

    /// Nil without its three signatures.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.byteCount, bytes.little(0) as UInt32 == 0x4161_5252,
            bytes.little(484) as UInt32 == 0x6141_7272, bytes.little(508) as UInt32 == 0xaa55_0000
        else { return nil }
        self.bytes = bytes
    }

    var freeCount: UInt32 { bytes.little(Self.freeCountOffset) }
    var nextFree: UInt32 { bytes.little(Self.nextFreeOffset) }
}
