internal import Foundation

/// Whether two arrays hold the same bytes; `==` takes seconds for megabytes in debug builds.
public func isSame(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    one.count == other.count && isSame(one, other, 0..<one.count)
}

/// The first byte that differs, the length of the shorter one where it is the other's beginning; nil: the same. For
/// expectations, which would print whole arrays otherwise.
public func firstDifference(_ one: [UInt8], _ other: [UInt8]) -> Int? {
    guard !isSame(one, other) else { return nil }
    return zip(one, other).enumerated().first { $1.0 != $1.1 }?.offset ?? min(one.count, other.count)
}

/// Whether every sector of 512 bytes of `now` is as in `old` or as in `new`: what a power cut may leave.
public func everySectorIsOldOrNew(_ now: [UInt8], old: [UInt8], new: [UInt8]) -> Bool {
    firstSectorOfNeither(now, old: old, new: new) == nil
}

/// The first byte of the first sector that is neither as in `old` nor as in `new`; the length where one of them has
/// another.
public func firstSectorOfNeither(_ now: [UInt8], old: [UInt8], new: [UInt8]) -> Int? {
    guard now.count == old.count, now.count == new.count else { return now.count }
    return stride(from: 0, to: now.count, by: 512).first { at in
        let sector = at..<min(at + 512, now.count)
        return !isSame(now, old, sector) && !isSame(now, new, sector)
    }
}

/// In `range`, which lies inside both.
private func isSame(_ one: [UInt8], _ other: [UInt8], _ range: Range<Int>) -> Bool {
    unsafe one.withUnsafeBytes { a in
        unsafe other.withUnsafeBytes { b in
            guard let a = a.baseAddress, let b = b.baseAddress else { return true }
            return unsafe memcmp(a + range.lowerBound, b + range.lowerBound, range.count) == 0
        }
    }
}
