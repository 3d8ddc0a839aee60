extension OrderedWrites {
    /// Neighbours are not written together beyond this.
    static let runLimit = 1 << 20

    /// Writes the phases, a flush after each. Writes of a phase that follow each other on the device become one.
    ///
    /// - Throws: `misuse` before anything is written when the device is too short. What the device or the source of
    ///   fetched bytes throws, with the `phase` that it happened in: those before it are on stable storage, none after
    ///   it has begun.
    package func commit(to device: any WritableBlockDevice) throws(StorageError) {
        for phase in phases {
            for write in phase.writes {
                try device.checkBounds(at: write.offset, count: UInt64(write.byteCount))
            }
        }
        try readWitnesses(on: device)
        for phase in phases {
            do throws(StorageError) {
                try Self.write(phase.writes, to: device)
                try device.flush()
            } catch {
                throw error.inPhase(phase.name)
            }
        }
    }

    /// Reads what later phases change, for whoever keeps a record of the writes: a cut may come before any of that is
    /// written, and only what lies there tells then whether something else has used the volume since.
    private func readWitnesses(on device: any WritableBlockDevice) throws(StorageError) {
        let ranges = phases.dropFirst().filter { !$0.areUnreferenced }.flatMap(\.writes)
            .map { $0.offset..<$0.offset + UInt64($0.byteCount) }
        let places = RangeSet(ranges).ranges
        guard !places.isEmpty else { return }
        try Witnesses.reading { () throws(StorageError) in
            let longest = places.reduce(UInt64(0)) { max($0, $1.upperBound - $1.lowerBound) }
            var buffer = ByteBuffer(byteCount: Int(min(UInt64(Self.runLimit), longest)))
            for place in places {
                var position = place.lowerBound
                while position < place.upperBound {
                    let count = Int(min(UInt64(Self.runLimit), place.upperBound - position))
                    var bytes = buffer.mutableBytes
                    var part = bytes.part(0..<count)
                    try device.read(into: &part, at: position)
                    position += UInt64(count)
                }
            }
        }
    }

    private static func write(_ writes: [Write], to device: any WritableBlockDevice) throws(StorageError) {
        var start = 0
        while start < writes.count {
            let offset = writes[start].offset
            var count = writes[start].byteCount
            var end = start + 1
            while end < writes.count, count < runLimit, writes[end].offset == offset + UInt64(count) {
                count += writes[end].byteCount
                end += 1
            }
            if end == start + 1, case .held(let slice) = writes[start].content {
                try unsafe device.write(slice.span.bytes, at: offset)
            } else {
                var run = ByteBuffer(byteCount: count)
                try gather(writes[start..<end], into: &run)
                try device.write(run.bytes, at: offset)
            }
            start = end
        }
    }

    private static func gather(
        _ writes: ArraySlice<Write>, into buffer: inout ByteBuffer
    ) throws(StorageError) {
        var target = buffer.mutableBytes
        var done = 0
        for write in writes {
            switch write.content {
            case .held(let slice): unsafe target.copy(slice.span.bytes, to: done)
            case .fetched(let item, let source):
                var part = target.part(done..<done + write.byteCount)
                try source.fetch(item, into: &part)
            }
            done += write.byteCount
        }
    }
}
