package import Storage

/// A device put together from parts of others: a logical volume or an array.
///
/// Reads go to the first copy that is there. Writes go to every copy, or are refused as a whole: `writeRefusal`
/// says why. Extents of the devices below pass through as far as one leg's run goes.
package final class MappedDevice: WritableBlockDevice {
    /// The name for messages.
    package let name: String
    /// The size in bytes.
    package let byteCount: UInt64
    /// The logical sector size in bytes: the largest of those below.
    package let sectorSize: UInt32
    /// The host files of all devices below, each once.
    package let hostFiles: [any ByteFile]
    /// Why the mapping must not be written, whatever its disks were opened for; nil when it may.
    package let mappingRefusal: StorageError?

    /// Bytes of it lie on what is missing, and no copy of them elsewhere.
    package let lacksBytes: Bool
    /// `mappingRefusal`, or that of a mapping below. Found once: mappings lie on mappings.
    package let lastingRefusal: StorageError?

    private let segments: [MappedSegment]
    /// The devices below, each once.
    private let below: [any BlockDevice]
    /// For a device below, by identity: its host files' indices in `hostFiles`.
    private let fileIndices: [ObjectIdentifier: [Int]]

    /// `segments` must follow each other from 0 on without a gap.
    init(name: String, segments: [MappedSegment], mappingRefusal: StorageError?) {
        self.name = name
        self.segments = segments
        self.mappingRefusal = mappingRefusal
        byteCount = segments.last?.range.upperBound ?? 0
        var files: [any ByteFile] = []
        var indices: [ObjectIdentifier: [Int]] = [:]
        var sectorSize: UInt32 = 512
        var below: [any BlockDevice] = []
        for device in segments.flatMap(\.devices) where indices[ObjectIdentifier(device)] == nil {
            below.append(device)
            sectorSize = max(sectorSize, device.sectorSize)
            indices[ObjectIdentifier(device)] = device.hostFiles.map { file in
                if let known = files.firstIndex(where: { $0 === file }) { return known }
                files.append(file)
                return files.count - 1
            }
        }
        hostFiles = files
        fileIndices = indices
        self.sectorSize = sectorSize
        self.below = below
        lastingRefusal = mappingRefusal ?? below.lazy.compactMap(\.lastingRefusal).first
        lacksBytes = segments.contains { segment in
            guard case .legs(let legs, let layout) = segment.content else { return false }
            return layout.isLost(
                missing: legs.map { leg in
                    leg.map { ($0.device as? MappedDevice)?.lacksBytes ?? false } ?? true
                })
        }
    }

    // MARK: Reading

    /// Fills `target` from byte `offset`.
    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(target.byteCount))
        var done = 0
        while done < target.byteCount {
            let position = offset + UInt64(done)
            let segment = try segment(at: position)
            let left = min(UInt64(target.byteCount - done), segment.range.upperBound - position)
            switch segment.content {
            case .zero:
                target.zero(done..<done + Int(left))
                done += Int(left)
            case .unavailable(let error): throw error
            case .legs(let legs, let layout):
                let place = layout.place(of: position - segment.range.lowerBound, legCount: legs.count)
                let (leg, start) = try readable(place, legs, at: position)
                let count = Int(min(left, place.byteCount))
                var part = target.part(done..<done + count)
                try leg.device.read(into: &part, at: start)
                done += count
            }
        }
    }

    /// The run at `offset`: what the leg below says, in this device's positions.
    package func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        try checkBounds(at: offset, count: 1)
        let segment = try segment(at: offset)
        let end = segment.range.upperBound
        switch segment.content {
        case .zero: return Extent(range: offset..<end, kind: .zero)
        case .unavailable(let error): throw error
        case .legs(let legs, let layout):
            let place = layout.place(of: offset - segment.range.lowerBound, legCount: legs.count)
            let (leg, start) = try readable(place, legs, at: offset)
            let below = try leg.device.nextExtent(at: start)
            let count = min(end - offset, place.byteCount, below.range.upperBound - start)
            return Extent(
                range: offset..<offset + count, kind: moved(below, leg.device, from: start, to: offset, count)
            )
        }
    }

    private func moved(
        _ extent: Extent, _ device: any BlockDevice, from start: UInt64, to offset: UInt64, _ count: UInt64
    ) -> Extent.Kind {
        let files = fileIndices[ObjectIdentifier(device)] ?? []
        switch extent.kind {
        case .plain(let file, let host):
            return file < files.count ? .plain(file: files[file], offset: host) : .computed
        case .compressed(var unit):
            // Only a unit that lies whole within this run has a place in this device's positions.
            guard unit.file < files.count, unit.unitRange.lowerBound >= start,
                unit.unitRange.upperBound <= start + count
            else { return .computed }
            unit.file = files[unit.file]
            let length = unit.unitRange.upperBound - unit.unitRange.lowerBound
            let first = offset + (unit.unitRange.lowerBound - start)
            unit.unitRange = first..<first + length
            return .compressed(unit)
        // A leg's parent is not this device's parent.
        case .absent, .zero: return .zero
        case .memory: return .memory
        case .computed: return .computed
        }
    }

    private func segment(at position: UInt64) throws(StorageError) -> MappedSegment {
        let index = segments.firstIndex(sortedBy: { $0.range.upperBound > position })
        guard index < segments.count, segments[index].range.contains(position) else {
            throw StorageError(
                .corrupt, MappingCode.gap, "\(name) has a gap in its mapping", offset: position)
        }
        return segments[index]
    }

    private func readable(
        _ place: ChunkLayout.Place, _ legs: [MappedSegment.Leg?], at position: UInt64
    ) throws(StorageError) -> (MappedSegment.Leg, UInt64) {
        for copy in place.copies where copy.leg < legs.count {
            if let leg = legs[copy.leg] { return (leg, leg.start + copy.offset) }
        }
        throw StorageError(
            .unsupported, MappingCode.legMissing,
            "a part of \(name) lies on a disk that is missing, too short or out of date; give all disks of the guest",
            offset: position)
    }

    // MARK: Writing

    /// `mappingRefusal`, or that of a device below.
    package var writeRefusal: StorageError? {
        mappingRefusal ?? below.lazy.compactMap(\.writeRefusal).first
    }

    /// Writes every copy of the bytes, or throws `mappingRefusal`.
    package func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) {
        try forEachCopy(at: offset, count: UInt64(source.byteCount)) {
            (device, start, done, count) throws(StorageError) in
            try device.write(source.extracting(done..<done + count), at: start)
        }
    }

    /// Zeros every copy of the bytes, or throws `mappingRefusal`.
    package func writeZeroes(at offset: UInt64, count: UInt64) throws(StorageError) {
        try forEachCopy(at: offset, count: count) { (device, start, _, count) throws(StorageError) in
            try device.writeZeroes(at: start, count: UInt64(count))
        }
    }

    /// A barrier on every device below.
    package func flush() throws(StorageError) {
        if let mappingRefusal { throw mappingRefusal }
        var seen: Set<ObjectIdentifier> = []
        for device in segments.flatMap(\.devices) where seen.insert(ObjectIdentifier(device)).inserted {
            try device.writable().flush()
        }
    }

    private func forEachCopy(
        at offset: UInt64, count: UInt64,
        _ body: (any WritableBlockDevice, UInt64, Int, Int) throws(StorageError) -> Void
    ) throws(StorageError) {
        try checkBounds(at: offset, count: count)
        if let mappingRefusal { throw mappingRefusal }
        var position = offset
        let end = offset + count
        while position < end {
            let segment = try segment(at: position)
            guard case .legs(let legs, let layout) = segment.content else {
                throw StorageError(
                    .refused, MappingCode.notWritable, "this part of \(name) has no place on a disk",
                    offset: position)
            }
            let place = layout.place(of: position - segment.range.lowerBound, legCount: legs.count)
            let step = min(end, segment.range.upperBound) - position
            let length = min(step, place.byteCount, 1 << 30)
            for copy in place.copies {
                guard let leg = legs[copy.leg] else { continue }
                try body(
                    try leg.device.writable(), leg.start + copy.offset, Int(position - offset), Int(length))
            }
            position += length
        }
    }
}
