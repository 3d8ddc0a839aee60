internal import Storage

/// A run of a mapped device and the legs it is spread over.
struct MappedSegment: Sendable {
    /// A part of another device.
    struct Leg: Sendable {
        let device: any BlockDevice
        let start: UInt64

        /// The bytes of `device` from `start` on, of which `needed` must be there; nil when they are not.
        init?(_ device: any BlockDevice, start: UInt64, needed: UInt64) {
            guard start <= device.byteCount, needed <= device.byteCount - start else { return nil }
            self.device = device
            self.start = start
        }
    }

    let range: Range<UInt64>
    let content: Content

    enum Content: Sendable {
        /// Nil for a leg that is missing or out of date: it is neither read nor written.
        case legs([Leg?], ChunkLayout)
        /// Reads as zeros and takes no data (the device mapper's "zero").
        case zero
        /// Cannot be read, and why.
        case unavailable(StorageError)
    }

    /// Checks that legs fit the layout and are long enough; a leg that is not makes the segment unavailable.
    static func legs(
        _ range: Range<UInt64>, _ layout: ChunkLayout, _ legs: [Leg?], name: String
    ) -> MappedSegment {
        let count = UInt64(range.count)
        guard layout.accepts(legCount: legs.count),
            let needed = layout.legByteCount(for: count, legCount: legs.count)
        else {
            return MappedSegment(
                range: range,
                content: .unavailable(
                    StorageError(
                        .corrupt, MappingCode.impossibleLayout,
                        "\(name) has \(legs.count) legs, which its layout does not allow")))
        }
        let checked = legs.map { leg in
            leg.flatMap { Leg($0.device, start: $0.start, needed: needed) }
        }
        return MappedSegment(range: range, content: .legs(checked, layout))
    }

    /// The devices below, for barriers and host files.
    var devices: [any BlockDevice] {
        guard case .legs(let legs, _) = content else { return [] }
        return legs.compactMap { $0?.device }
    }

    /// Whether any leg is missing.
    var isIncomplete: Bool {
        switch content {
        case .legs(let legs, _): legs.contains { $0 == nil }
        case .zero: false
        case .unavailable: true
        }
    }
}
