internal import Storage

/// A logical volume as the text describes it.
struct LogicalVolume: Sendable {
    let name: String
    let id: String
    let status: Set<String>
    let segments: [Segment]
    /// In extents.
    let extentCount: UInt64

    /// Shown to users; the others are parts of volumes.
    var isVisible: Bool { status.contains("VISIBLE") }
    /// What pvmove copies through. No other volume may have such a name (lvm(8)).
    var isMove: Bool { status.contains("PVMOVE") || name.hasPrefix("pvmove") }

    /// A run of extents of one type.
    struct Segment: Sendable {
        let start: UInt64
        let count: UInt64
        let content: Content
    }

    /// A place that a segment refers to: extents of a physical volume or of another logical one.
    struct Area: Equatable, Sendable {
        let name: String
        let firstExtent: UInt64
    }

    enum Content: Sendable {
        /// Linear when there is one area. Stripe size in sectors.
        case striped([Area], stripeSize: UInt64)
        /// An old-style mirror with a log of its own.
        case mirror([Area])
        case raid(RAID)
        case zero
        case error
        /// The hidden volume that ties an origin to its snapshot.
        case snapshot(origin: String, store: String, isMerging: Bool)
        case cache(origin: String, isWriteThrough: Bool)
        case thin(pool: String, deviceID: UInt64, origin: String?)
        case thinPool(metadata: String, data: String, chunkSize: UInt64)
        /// Known to exist, not read here.
        case other(type: String)
    }

    /// A segment of dm-raid's.
    struct RAID: Sendable {
        let type: String
        /// Images with their metadata volumes, which RAID 0 may lack.
        let images: [String]
        let metadata: [String?]
        let stripeSize: UInt64
        let copies: Int
        let isReshaping: Bool
    }

    init(name: String, _ section: LVMSection) throws(StorageError) {
        self.name = name
        id = section.string("id") ?? ""
        status = Set(section.strings("status") + section.strings("flags"))
        let count = try section.number("segment_count") ?? 0
        guard count <= UInt64(VolumeGroup.segmentLimit) else {
            throw .lvm(
                .corrupt, .textRange, "logical volume \(name) claims \(count) segments",
                field: "segment_count")
        }
        var segments: [Segment] = []
        var next: UInt64 = 0
        for index in 0..<Int(count) {
            guard let part = section.section("segment\(index + 1)") else {
                throw .lvm(.corrupt, .textField, "logical volume \(name) lacks segment\(index + 1)")
            }
            let segment = try Segment(part, of: name)
            guard segment.start == next, segment.count > 0, let end = next +? segment.count else {
                throw .lvm(
                    .corrupt, .textRange, "segment\(index + 1) of \(name) does not follow the one before it",
                    field: "start_extent")
            }
            next = end
            segments.append(segment)
        }
        self.segments = segments
        extentCount = next
    }
}

extension LogicalVolume.Segment {
    init(_ section: LVMSection, of name: String) throws(StorageError) {
        start = try section.required("start_extent")
        count = try section.required("extent_count")
        guard let type = section.string("type") else {
            throw .lvm(.corrupt, .textField, "a segment of \(name) has no type", field: "type")
        }
        content = try Self.content(type, section, of: name)
    }

    private static func content(
        _ type: String, _ section: LVMSection, of name: String
    ) throws(StorageError) -> LogicalVolume.Content {
        // "cache+METADATA_FORMAT": what follows the plus restricts which lvm2 may use it.
        let base = type.split(separator: "+").first.map { String($0) } ?? type
        switch base {
        case "striped", "linear":
            let areas = try areas(section, "stripes", of: name)
            return .striped(areas, stripeSize: try section.number("stripe_size") ?? 0)
        case "mirror": return .mirror(try areas(section, "mirrors", of: name))
        case "zero": return .zero
        case "error": return .error
        case "snapshot":
            let merging = section.string("merging_store")
            guard let origin = section.string("origin"), let store = merging ?? section.string("cow_store")
            else {
                throw .lvm(.corrupt, .textField, "snapshot \(name) names no origin", field: "origin")
            }
            return .snapshot(origin: origin, store: store, isMerging: merging != nil)
        case "cache":
            let mode = section.string("cache_mode")
            guard let origin = section.string("origin") else {
                throw .lvm(.corrupt, .textField, "cached volume \(name) names no origin", field: "origin")
            }
            return .cache(origin: origin, isWriteThrough: mode == "writethrough" || mode == "passthrough")
        case "thin":
            guard let pool = section.string("thin_pool") else {
                throw .lvm(.corrupt, .textField, "thin volume \(name) names no pool", field: "thin_pool")
            }
            return .thin(
                pool: pool, deviceID: try section.required("device_id"),
                origin: section.string("external_origin"))
        case "thin-pool":
            guard let metadata = section.string("metadata"), let data = section.string("pool") else {
                throw .lvm(.corrupt, .textField, "thin pool \(name) names no volumes", field: "pool")
            }
            return .thinPool(metadata: metadata, data: data, chunkSize: try section.required("chunk_size"))
        case _ where base.hasPrefix("raid"): return .raid(try raid(base, section, of: name))
        default: return .other(type: base)
        }
    }

    /// A flat list of name, extent, name, extent…
    private static func areas(
        _ section: LVMSection, _ field: String, of name: String
    ) throws(StorageError) -> [LogicalVolume.Area] {
        let items = section.list(field)
        guard !items.isEmpty, items.count % 2 == 0 else {
            throw .lvm(.corrupt, .textField, "a segment of \(name) has no \(field)", field: field)
        }
        var areas: [LogicalVolume.Area] = []
        for index in stride(from: 0, to: items.count, by: 2) {
            guard let target = items[index].text, case .number(let extent) = items[index + 1],
                let first = UInt64(exactly: extent)
            else {
                throw .lvm(.corrupt, .textField, "\(field) of \(name) is no list of places", field: field)
            }
            areas.append(LogicalVolume.Area(name: target, firstExtent: first))
        }
        return areas
    }

    /// `raids` pairs metadata and image volumes; `raid0_lvs` has images only, or pairs for raid0_meta.
    private static func raid(
        _ type: String, _ section: LVMSection, of name: String
    ) throws(StorageError) -> LogicalVolume.RAID {
        let names = section.strings("raids") + section.strings("raid0_lvs")
        let stripes = try section.number("stripe_count") ?? 0
        let count = try section.number("device_count") ?? stripes
        guard let legs = Int(exactly: count), legs > 0, legs <= names.count,
            names.count == legs || names.count == legs * 2
        else {
            throw .lvm(
                .corrupt, .textField, "\(name) has \(names.count) volumes for \(count) legs", field: "raids")
        }
        let isPaired = names.count == legs * 2
        let copies = try section.number("data_copies") ?? 2
        let moved = try section.number("data_offset") ?? 0
        return LogicalVolume.RAID(
            type: type, images: (0..<legs).map { isPaired ? names[$0 * 2 + 1] : names[$0] },
            metadata: (0..<legs).map { isPaired ? names[$0 * 2] : nil },
            stripeSize: try section.number("stripe_size") ?? 0, copies: Int(clamping: copies),
            isReshaping: moved != 0 || section["reshape_count"] != nil)
    }
}
