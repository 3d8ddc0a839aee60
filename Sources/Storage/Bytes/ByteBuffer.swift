/// Page-aligned memory that is made once and reused: the unit of bulk input and output.
@safe
public struct ByteBuffer: ~Copyable, @unchecked Sendable {
    @usableFromInline let base: UnsafeMutableRawPointer
    /// Its size in bytes.
    public let byteCount: Int

    /// Zero-filled memory of `byteCount` bytes. Never pass a number that an image supplied unchecked.
    public init(byteCount: Int) {
        self.byteCount = byteCount
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 1), alignment: 4096)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    deinit { unsafe base.deallocate() }

    /// The whole buffer for reading.
    @inlinable
    public var bytes: RawSpan {
        @_lifetime(borrow self) get {
            unsafe _overrideLifetime(
                RawSpan(_unsafeStart: UnsafeRawPointer(base), byteCount: byteCount), borrowing: self)
        }
    }

    /// The whole buffer for writing.
    @inlinable
    public var mutableBytes: MutableRawSpan {
        @_lifetime(&self) mutating get {
            unsafe _overrideLifetime(
                MutableRawSpan(_unsafeStart: base, byteCount: byteCount), mutating: &self)
        }
    }
}
