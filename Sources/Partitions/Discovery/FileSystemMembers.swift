internal import Storage

/// File systems that lie on several devices (Btrfs).
enum FileSystemMembers {
    /// Says of each device whose file system lacks others that Linux does not mount it. A copy of a device counts once.
    static func mark(_ result: inout DiscoveredVolumes) {
        var given: [String: Set<String>] = [:]
        for identity in result.volumes.map(\.identity) {
            if let uuid = identity.uuid, let member = identity.member {
                given[uuid, default: []].insert(member.uuid)
            }
        }
        for index in result.volumes.indices {
            let identity = result.volumes[index].identity
            guard result.volumes[index].lacking == nil, let uuid = identity.uuid,
                let member = identity.member,
                let there = given[uuid]?.count, there < member.count
            else { continue }
            result.volumes[index].lacking =
                "its \(identity.kind.rawValue) lies on \(member.count) devices, of which \(there) \(there == 1 ? "was" : "were") given"
        }
    }
}
