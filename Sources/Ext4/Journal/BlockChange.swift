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
