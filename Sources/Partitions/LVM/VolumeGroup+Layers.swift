internal import Storage

/// What Linux stacks up for a logical volume: the targets of the device mapper that LVM asks for by the types of its
/// segments (lib/activate), and of the volumes that those lie on.
extension VolumeGroup {
    /// The layers of the logical volume `name`, those of its physical volumes first; `below` tells theirs, by UUID.
    func layers(of name: String, below: (_ physical: [String]) -> [Volume.Layer]) -> [Volume.Layer] {
        let logical = Dictionary(
            logicalVolumes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let physical = Dictionary(
            physicalVolumes.map { ($0.name, $0.id) }, uniquingKeysWith: { first, _ in first })
        var members: [String] = []
        var own: [Volume.Layer] = [.deviceMapper(target: "linear")]
        func add(_ layer: Volume.Layer) { if !own.contains(layer) { own.append(layer) } }
        var visited: Set<String> = []
        var left = [name]
        while let next = left.popLast() {
            if let id = physical[next], logical[next] == nil {
                if !members.contains(id) { members.append(id) }
                continue
            }
            guard visited.insert(next).inserted, let volume = logical[next] else { continue }
            for segment in volume.segments {
                segment.layers.forEach(add)
                left += segment.names
            }
            // An origin is a target of snapshots itself.
            for other in logicalVolumes {
                for case .snapshot(next, let store, _) in other.segments.map(\.content) {
                    add(.deviceMapper(target: "snapshot"))
                    left.append(store)
                }
            }
        }
        let disks = below(members)
        return disks + own.filter { !disks.contains($0) }
    }
}

extension LogicalVolume.Segment {
    /// The targets that it is made of.
    fileprivate var layers: [Volume.Layer] {
        switch content {
        case .striped(let areas, _): areas.count > 1 ? [.deviceMapper(target: "striped")] : []
        case .mirror: [.deviceMapper(target: "mirror")]
        case .raid(let raid): [.deviceMapper(target: "raid"), .array(level: raid.level)]
        case .snapshot: [.deviceMapper(target: "snapshot")]
        case .cache: [.deviceMapper(target: "cache")]
        case .thin, .thinPool: [.deviceMapper(target: "thin-pool")]
        case .other(let type): [.deviceMapper(target: type)]
        case .zero, .error: []
        }
    }

    /// The volumes that it lies on.
    fileprivate var names: [String] {
        switch content {
        case .striped(let areas, _), .mirror(let areas): areas.map(\.name)
        case .raid(let raid): raid.images + raid.metadata.compactMap { $0 }
        case .cache(let origin, _): [origin]
        case .thin(let pool, _, let origin): [pool] + [origin].compactMap { $0 }
        case .thinPool(let metadata, let data, _): [metadata, data]
        case .snapshot, .zero, .error, .other: []
        }
    }
}

extension LogicalVolume.RAID {
    /// MD's level: LVM writes it into the type's name, with the layout behind it ("raid5_ls").
    fileprivate var level: Int {
        let digits = type.dropFirst("raid".count).prefix { $0.isNumber }
        return Int(digits) ?? 1
    }
}
