internal import Storage

extension Inode {
    /// A time: the signed low word, and where the inode has the extra word its two bits of epoch and thirty of
    /// nanoseconds.
    func time(_ offset: Int, extra: Int) -> Timestamp {
        let low = Int64(Int32(bitPattern: word(offset)))
        guard hasField(extra) else { return Timestamp(seconds: low) }
        let more = word(extra)
        return Timestamp(
            seconds: low + Int64(more & 3) << 32, nanoseconds: min(more >> 2, 999_999_999))
    }

    /// Stores a time, clamped to what the field holds.
    mutating func setTime(_ time: Timestamp, at offset: Int, extra: Int) {
        let wide = hasField(extra)
        let last = Int64(Int32.max) + (wide ? 3 << 32 : 0)
        let seconds = min(max(time.seconds, Int64(Int32.min)), last)
        bytes.storeLittle(UInt32(truncatingIfNeeded: seconds), at: offset)
        guard wide else { return }
        let low = Int64(Int32(truncatingIfNeeded: seconds))
        let epoch = UInt32(truncatingIfNeeded: (seconds - low) >> 32) & 3
        bytes.storeLittle(epoch | min(time.nanoseconds, 999_999_999) << 2, at: extra)
    }

    var accessTime: Timestamp { time(Offset.accessTime, extra: Offset.accessTimeExtra) }
    var changeTime: Timestamp { time(Offset.changeTime, extra: Offset.changeTimeExtra) }
    var modificationTime: Timestamp { time(Offset.modificationTime, extra: Offset.modificationTimeExtra) }
    var creationTime: Timestamp? {
        guard hasField(Offset.creationTime) else { return nil }
        return time(Offset.creationTime, extra: Offset.creationTimeExtra)
    }
}
