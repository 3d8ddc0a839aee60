internal import Storage

/// How device names are to be replaced.
public enum NamingPolicy: String, Sendable, CaseIterable {
    /// `UUID=`; a label or the target's name where that cannot work.
    case uuid
    /// `LABEL=` where the volume has a label of its own, else as `uuid`.
    case label
    /// The name that the target gives the disk.
    case target
}

/// A name that holds wherever the disks go.
package enum StableName: Hashable, Sendable {
    /// Of what the volume holds.
    case uuid(String)
    /// Of what the volume holds; plain characters alone, so that it can stand in any file as it is.
    case label(String)
    /// Of the partition, in a GPT or made of an MBR's signature.
    case partitionUUID(String, isGPT: Bool)

    /// As mount(8) and the kernel take it: "UUID=1234-ABCD".
    package var tag: String {
        switch self {
        case .uuid(let uuid): "UUID=\(uuid)"
        case .label(let label): "LABEL=\(label)"
        case .partitionUUID(let uuid, _): "PARTUUID=\(uuid)"
        }
    }

    /// udev's link, for what takes a path alone.
    package var link: String {
        switch self {
        case .uuid(let uuid): "/dev/disk/by-uuid/\(uuid)"
        case .label(let label): "/dev/disk/by-label/\(label)"
        case .partitionUUID(let uuid, _): "/dev/disk/by-partuuid/\(uuid)"
        }
    }

    /// It is a label.
    var isLabel: Bool { if case .label = self { true } else { false } }
}

extension DeviceResolver {
    /// The UUID of what a volume holds; nil when it has none or shares it.
    package func uuidName(_ volume: Int) -> StableName? {
        guard let uuid = volumes[volume].identity.uuid, !uuid.isEmpty, isPlain(volume),
            stands(DeviceName("UUID=\(uuid)"), for: volume)
        else { return nil }
        return .uuid(uuid)
    }

    /// It shows one signature. Of several, neither udev nor mount(8) takes a UUID or label, but where one is a container's.
    private func isPlain(_ volume: Int) -> Bool {
        let kinds = Set(volumes[volume].candidates.map(\.kind))
        return kinds.count < 2 || kinds.contains(.luks)
    }

    /// The label of what a volume holds; nil when it has none, shares it, or the label cannot stand in every file as it
    /// is.
    package func labelName(_ volume: Int) -> StableName? {
        guard let label = volumes[volume].identity.label, !label.isEmpty, isPlain(volume),
            // What is a word of its own to a shell, to GRUB's script or to a pattern stands in no file as it is.
            label.allSatisfy({ $0.isNameCharacter || "/.:@+-%".utf8.contains($0) }),
            stands(.label(label), for: volume)
        else { return nil }
        return .label(String(decoding: label, as: UTF8.self))
    }

    /// The UUID of a partition; nil when it has none. A disk signature of zero makes none.
    package func partitionUUIDName(_ volume: Int) -> StableName? {
        guard let uuid = volumes[volume].partitionUUID?.lowercased(), !uuid.isEmpty,
            !uuid.hasPrefix("00000000-"),
            resolve(.partitionUUID(uuid)) == .volume(volume)
        else { return nil }
        return .partitionUUID(uuid, isGPT: UUID16(text: uuid) != nil)
    }
}
