// Loads and stores of integers with an explicit byte order. The loads are bounds-checked and trap, so a parser checks the
// length of its structure once, throws, and then loads. Storage reads memory without the compiler's proof here, in
// ByteBuffer.swift, in ZeroScan.swift and in calls of C alone.

extension RawSpan {
    /// The big-endian integer at byte `offset`. Traps when it does not lie inside the span.
    @inlinable @inline(__always)
    public func big<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type = T.self) -> T {
        T(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// The little-endian integer at byte `offset`. Traps when it does not lie inside the span.
    @inlinable @inline(__always)
    public func little<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type = T.self) -> T {
        T(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// The byte at `offset`. Traps outside the span.
    @inlinable @inline(__always)
    public func byte(_ offset: Int) -> UInt8 {
        unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self)
    }

    /// A copy of the bytes in `range`. Traps outside the span.
    @inlinable
    public func array(_ range: Range<Int>) -> [UInt8] {
        let part = self.extracting(range)
        return unsafe part.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// Whether the bytes at `offset` are exactly `expected`; false when they do not fit.
    @inlinable
    public func matches(_ expected: [UInt8], at offset: Int = 0) -> Bool {
        guard offset >= 0, offset <= byteCount, expected.count <= byteCount - offset else { return false }
        for index in expected.indices where byte(offset + index) != expected[index] { return false }
        return true
    }

    /// Whether both hold the same bytes.
    @inlinable
    public func isEqual(_ other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        var offset = 0
        while byteCount - offset >= 8 {
            guard little(offset, as: UInt64.self) == other.little(offset, as: UInt64.self) else {
                return false
            }
            offset += 8
        }
        while offset < byteCount {
            guard byte(offset) == other.byte(offset) else { return false }
            offset += 1
        }
        return true
    }
}

extension MutableRawSpan {
    /// Stores `value` big-endian at byte `offset`. Traps outside the span.
    @_lifetime(self: copy self)
    @inlinable @inline(__always)
    public mutating func storeBig<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: T.self)
    }

    /// Stores `value` little-endian at byte `offset`. Traps outside the span.
    @_lifetime(self: copy self)
    @inlinable @inline(__always)
    public mutating func storeLittle<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
    }

    /// Copies all of `source` to byte `offset`. Traps when it does not fit.
    @_lifetime(self: copy self)
    @inlinable
    public mutating func copy(_ source: RawSpan, to offset: Int) {
        precondition(offset >= 0 && offset <= byteCount && source.byteCount <= byteCount - offset)
        unsafe withUnsafeMutableBytes { target in
            unsafe source.withUnsafeBytes { bytes in
                guard let base = target.baseAddress, let from = bytes.baseAddress else { return }
                unsafe (base + offset).copyMemory(from: from, byteCount: bytes.count)
            }
        }
    }

    /// Sets the bytes in `range` to zero. Traps outside the span.
    @_lifetime(self: copy self)
    @inlinable
    public mutating func zero(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount)
        unsafe withUnsafeMutableBytes { target in
            guard let base = target.baseAddress else { return }
            unsafe (base + range.lowerBound).initializeMemory(
                as: UInt8.self, repeating: 0, count: range.count)
        }
    }

    /// The part of the span in `range`, to be written through while the whole is not used. Traps outside.
    @_lifetime(&self)
    @inlinable
    public mutating func part(_ range: Range<Int>) -> MutableRawSpan {
        _mutatingExtracting(range)
    }
}

extension Array where Element == UInt8 {
    /// The array's storage as a span, for `big`, `little` and the parsers.
    @inlinable
    public var span8: RawSpan {
        @_lifetime(borrow self) get { unsafe self.span.bytes }
    }

    /// Lends the array's storage for writing.
    @inlinable
    public mutating func withMutableBytes<R: ~Copyable, Failure: Error>(
        _ body: (inout MutableRawSpan) throws(Failure) -> R
    ) throws(Failure) -> R {
        var span = self.mutableSpan
        var bytes = unsafe span.mutableBytes
        return try body(&bytes)
    }

    /// The big-endian integer at byte `offset`. Traps outside the array.
    @inlinable @inline(__always)
    public func big<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type = T.self) -> T {
        span8.big(offset)
    }

    /// The little-endian integer at byte `offset`. Traps outside the array.
    @inlinable @inline(__always)
    public func little<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type = T.self) -> T {
        span8.little(offset)
    }

    /// Stores `value` big-endian at byte `offset`. Traps outside the array.
    @inlinable
    public mutating func storeBig<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
        withMutableBytes { $0.storeBig(value, at: offset) }
    }

    /// Stores `value` little-endian at byte `offset`. Traps outside the array.
    @inlinable
    public mutating func storeLittle<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
        withMutableBytes { $0.storeLittle(value, at: offset) }
    }
}
