/// What an image may ask of its reader. The memory of a pass is that of the entries and of the contents that were asked
/// for, under these, besides the buffers and the window of a decoder.
package struct InitramfsLimits: Sendable {
    /// What all compressed members may decode to together.
    package var decodedByteCount: UInt64 = 4 << 30
    /// How many times its length a compressed member may decode to, once it has decoded to `freeByteCount`.
    package var ratio: UInt64 = 200
    /// What any member may decode to, however short it is.
    package var freeByteCount: UInt64 = 256 << 20
    /// How many entries there may be.
    package var entryCount = 200_000
    /// How many bytes their names and links may have together.
    package var nameByteCount = 16 << 20
    /// How many steps of paths may be gone because of links.
    package var stepCount = 4_000_000
    /// How many bytes of contents that are asked for are held.
    package var heldByteCount = 32 << 20

    /// What every real image keeps far below.
    package init() {}
}
