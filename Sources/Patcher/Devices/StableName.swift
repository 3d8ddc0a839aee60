internal import Storage

/// How device names are to be replaced.
package enum NamingPolicy: String, Sendable, CaseIterable {
    /// `UUID=`; a label or the target's name where that cannot work.
    case uuid
    /// `LABEL=` where the volume has a label of its own, else as `uuid`.
    case label
    /// The name that the target gives the disk.
    case target
}

extension DeviceResolver {
    /// `UUID=…` of a volume; nil when it has none or shares it.
    package func uuidName(_ volume: Int) -> String? {
        guard let uuid = volumes[volume].identity.uuid, !uuid.isEmpty,
            resolve(DeviceName("UUID=\(uuid)")) == .volume(volume)
        else { return nil }
        return "UUID=\(uuid)"
    }

    /// `LABEL=…` of a volume; nil when it has none, shares it, or the label cannot stand in a text file as it is.
    package func labelName(_ volume: Int) -> String? {
        guard let label = volumes[volume].identity.label, !label.isEmpty,
            label.allSatisfy({ $0 > 32 && $0 < 127 }),
            !label.contains(where: {
                [.backslash, .doubleQuote, .singleQuote, .hash, .dollar, .backquote].contains($0)
            }),
            resolve(.label(label)) == .volume(volume)
        else { return nil }
        return "LABEL=" + String(decoding: label, as: UTF8.self)
    }

    /// `PARTUUID=…` of a partition; nil when it has none. A disk signature of zero makes none.
    package func partitionUUIDName(_ volume: Int) -> String? {
        guard let uuid = volumes[volume].partitionUUID?.lowercased(), !uuid.isEmpty,
            !uuid.hasPrefix("00000000-"),
            resolve(.partitionUUID(uuid)) == .volume(volume)
        else { return nil }
        return "PARTUUID=\(uuid)"
    }
}
