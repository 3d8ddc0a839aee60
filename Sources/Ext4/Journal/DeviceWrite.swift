internal import Storage

/// New contents of one block of a file system.
package struct BlockChange: Equatable, Sendable {
    /// The block's number.
    package var block: UInt64
    /// All of its bytes.
    package var bytes: [UInt8]

    /// Makes a change.
    package init(block: UInt64, bytes: [UInt8]) {
        self.block = block
        self.bytes = bytes
    }
}

/// Bytes to be written at a place of the file system's device.
package struct DeviceWrite: Equatable, Sendable {
    /// Where, in bytes.
    package var offset: UInt64
    /// What.
    package var bytes: [UInt8]

    /// Writes are not merged beyond this.
    static let maximumByteCount = 1 << 20

    /// One write instead of several where they touch, so that a run of blocks costs one call.
    static func merging(_ writes: [DeviceWrite]) -> [DeviceWrite] {
        var result: [DeviceWrite] = []
        for write in writes {
            if let last = result.last, last.offset + UInt64(last.bytes.count) == write.offset,
                last.bytes.count < maximumByteCount
            {
                result[result.count - 1].bytes += write.bytes
            } else {
                result.append(write)
            }
        }
        return result
    }
}
