internal import Storage

/// Turns the logical volumes of one group into devices.
///
/// What cannot be mapped becomes a device that throws its reason on reading; nothing here throws, so that one odd
/// volume leaves the others alone.
struct LogicalVolumeMapper {
    let group: VolumeGroup
    private let members: [String: LVMScan.Member]
    private let physical: [String: VolumeGroup.PhysicalVolume]
    private let logical: [String: LogicalVolume]
    /// Origins of snapshots; true when a snapshot is being merged into it.
    private let origins: [String: Bool]
    /// Volumes that hold a snapshot's exceptions and have no contents to be read as such; true while merging.
    private let stores: [String: Bool]
    private var made: [String: MappedDevice] = [:]
    private var pools: [String: ThinMetadata] = [:]
    private var underway: Set<String> = []

    /// Logical volumes inside logical volumes: thin pool, RAID, image, stripes; twice that is plenty.
    private static let depthLimit = 12

    init(_ found: LVMScan.Group) {
        group = found.metadata
        members = found.members
        physical = Dictionary(
            group.physicalVolumes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        logical = Dictionary(
            group.logicalVolumes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var origins: [String: Bool] = [:]
        var stores: [String: Bool] = [:]
        for volume in group.logicalVolumes {
            for case .snapshot(let origin, let store, let isMerging) in volume.segments.map(\.content) {
                origins[origin] = isMerging || origins[origin] ?? false
                stores[store] = isMerging
            }
        }
        self.origins = origins
        self.stores = stores
    }

    /// Whether users see the volume. A snapshot goes by the name of its store, which the text does not mark.
    func isVisible(_ volume: LogicalVolume) -> Bool {
        stores[volume.name].map { !$0 } ?? volume.isVisible
    }

    /// The device of the volume called `name`.
    mutating func device(_ name: String) -> MappedDevice {
        if let known = made[name] { return known }
        let title = "\(group.name)/\(name)"
        guard let volume = logical[name] else {
            return unavailable(title, .lvm(.corrupt, .textField, "\(title) is not in the metadata"))
        }
        guard underway.count < Self.depthLimit, underway.insert(name).inserted else {
            return unavailable(title, .lvm(.corrupt, .cycle, "\(title) contains itself"), volume)
        }
        let device: MappedDevice
        do { device = try map(volume, title) } catch { device = unavailable(title, error, volume) }
        underway.remove(name)
        made[name] = device
        return device
    }

    private func unavailable(
        _ title: String, _ error: StorageError, _ volume: LogicalVolume? = nil
    ) -> MappedDevice {
        let size = volume.flatMap { group.byteCount(extents: $0.extentCount) } ?? 0
        let segments = size == 0 ? [] : [MappedSegment(range: 0..<size, content: .unavailable(error))]
        return MappedDevice(name: title, segments: segments, mappingRefusal: error)
    }

    private mutating func map(_ volume: LogicalVolume, _ title: String) throws(StorageError) -> MappedDevice {
        guard group.byteCount(extents: volume.extentCount) != nil else {
            throw .lvm(.corrupt, .textRange, "\(title) is larger than any device", field: "extent_count")
        }
        if stores[volume.name] != nil {
            throw .lvm(.unsupported, .snapshot, "\(title) is a snapshot; snapshots are not read")
        }
        if origins[volume.name] == true {
            throw .lvm(
                .unsupported, .merging,
                "a snapshot is being merged into \(title); let the guest finish that first")
        }
        var segments: [MappedSegment] = []
        var refusal = groupRefusal(volume, title)
        for segment in volume.segments {
            // In range: the whole volume is.
            let start = group.byteCount(extents: segment.start) ?? 0
            let end = start + (group.byteCount(extents: segment.count) ?? 0)
            let mapped = try map(segment.content, start..<end, title)
            segments.append(mapped.segment)
            refusal = refusal ?? mapped.refusal
        }
        return MappedDevice(name: title, segments: segments, mappingRefusal: refusal)
    }

    /// Why a volume must not be written whatever it consists of.
    private func groupRefusal(_ volume: LogicalVolume, _ title: String) -> StorageError? {
        if group.status.contains("EXPORTED") {
            return .lvm(.refused, .exported, "volume group \(group.name) is exported; import it first")
        }
        if volume.isMove || volume.status.contains("LOCKED") {
            return .lvm(
                .refused, .moving, "\(title) is being moved by pvmove; let the guest finish that first")
        }
        if !group.status.isEmpty, !group.status.contains("WRITE") {
            return .lvm(.refused, .readOnly, "volume group \(group.name) is marked read-only")
        }
        if !volume.status.contains("WRITE") {
            return .lvm(.refused, .readOnly, "\(title) is marked read-only")
        }
        if origins[volume.name] != nil {
            return .lvm(
                .refused, .origin,
                "\(title) has a snapshot, which writing to it from outside would damage; remove the snapshot first"
            )
        }
        return nil
    }

    // MARK: Segments

    typealias Mapped = (segment: MappedSegment, refusal: StorageError?)

    private mutating func map(
        _ content: LogicalVolume.Content, _ range: Range<UInt64>, _ title: String
    ) throws(StorageError) -> Mapped {
        switch content {
        case .striped(let areas, let stripeSize):
            let layout = areas.count == 1 ? ChunkLayout.linear : .striped(chunk: try bytes(stripeSize, title))
            return finish(range, layout, areas.map { leg($0) }, title)
        case .mirror(let areas):
            // The first leg is the one that the others are copied from.
            return finish(range, .mirrored, areas.map { leg($0) }, title)
        case .raid(let raid): return try map(raid, range, title)
        case .zero: return (MappedSegment(range: range, content: .zero), nil)
        case .error:
            let error = StorageError.lvm(
                .unsupported, .segmentType, "a part of \(title) is mapped to an error")
            return (MappedSegment(range: range, content: .unavailable(error)), error)
        case .cache(let origin, let isWriteThrough):
            guard isWriteThrough else {
                throw .lvm(
                    .unsupported, .cache,
                    "\(title) is cached, and the cache may hold newer data than its origin")
            }
            let mapped = finish(range, .linear, [wholeLeg(origin)], title)
            return (
                mapped.segment,
                .lvm(
                    .refused, .cache, "\(title) is cached; writing below the cache would leave old data in it"
                )
            )
        case .snapshot: throw .lvm(.unsupported, .snapshot, "\(title) ties a snapshot to its origin")
        case .thin(let pool, let number, let origin):
            guard origin == nil else {
                throw .lvm(.unsupported, .thin, "\(title) is a thin volume over an origin outside its pool")
            }
            return try mapThin(pool, number, range, title)
        case .thinPool:
            throw .lvm(.unsupported, .segmentType, "\(title) is a thin pool, which has no contents")
        case .other(let type):
            throw .lvm(.unsupported, .segmentType, "\(title) is of type \(type), which is not supported")
        }
    }

    func finish(
        _ range: Range<UInt64>, _ layout: ChunkLayout, _ legs: [Leg], _ title: String
    ) -> Mapped {
        let segment = MappedSegment.legs(range, layout, legs.map(\.leg), name: title)
        if case .unavailable(let error) = segment.content { return (segment, error) }
        if let refusal = legs.compactMap(\.refusal).first { return (segment, refusal) }
        return (segment, segment.isIncomplete ? incomplete(title) : nil)
    }

    private func incomplete(_ title: String) -> StorageError {
        .lvm(
            .refused, .partial,
            "a part of \(title) lies on a physical volume that is missing or too short; give all disks of the guest"
        )
    }

    func bytes(_ sectors: UInt64, _ title: String) throws(StorageError) -> UInt64 {
        guard sectors > 0, sectors <= 1 << 40 else {
            throw .lvm(.corrupt, .textRange, "\(title) has an impossible stripe size", field: "stripe_size")
        }
        return sectors * 512
    }

    // MARK: Legs

    typealias Leg = (leg: MappedSegment.Leg?, refusal: StorageError?)

    mutating func wholeLeg(_ name: String) -> Leg {
        leg(LogicalVolume.Area(name: name, firstExtent: 0))
    }

    /// The bytes of a physical or logical volume from an extent on; nil when they are not there.
    private mutating func leg(_ area: LogicalVolume.Area) -> Leg {
        guard let offset = group.byteCount(extents: area.firstExtent) else { return (nil, nil) }
        if let volume = physical[area.name] {
            guard !volume.isMissing, let member = members[volume.id], let data = volume.start *? 512,
                let start = data +? offset
            else { return (nil, nil) }
            return (MappedSegment.Leg(member.device, start: start, needed: 0), nil)
        }
        guard logical[area.name] != nil else { return (nil, nil) }
        let device = device(area.name)
        return (MappedSegment.Leg(device, start: offset, needed: 0), device.mappingRefusal)
    }

    // MARK: Thin

    /// The metadata and data of a pool; the metadata is opened once.
    private mutating func openPool(
        _ name: String, _ title: String
    ) throws(StorageError) -> (metadata: ThinMetadata, data: MappedDevice) {
        guard let pool = logical[name],
            case .thinPool(let metadata, let data, _)? = pool.segments.first?.content
        else { throw .lvm(.corrupt, .textField, "\(title) names a pool that is none") }
        if let known = pools[name] { return (known, device(data)) }
        let made = try ThinMetadata(device(metadata))
        pools[name] = made
        return (made, device(data))
    }

    private mutating func mapThin(
        _ pool: String, _ number: UInt64, _ range: Range<UInt64>, _ title: String
    ) throws(StorageError) -> Mapped {
        let (metadata, data) = try openPool(pool, title)
        let device = try ThinDevice(metadata, device: number, data: data, byteCount: range.upperBound)
        let leg = MappedSegment.Leg(device, start: range.lowerBound, needed: 0)
        let mapped = finish(range, .linear, [(leg, nil)], title)
        return (
            mapped.segment,
            .lvm(.refused, .thin, "\(title) is a thin volume; writing to one from outside is not supported")
        )
    }
}
