internal import Storage

/// LVM2 physical volumes, and LVM1's, which are only named.
enum VolumeManagerProbe {
    static func matches(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        var found: [ProbeMatch] = []
        if let label = try LVMLabel.read(reader.device) {
            let identity = VolumeIdentity(
                kind: .lvm2, uuid: label.uuid, version: "LVM2 001", byteCount: label.deviceByteCount)
            // A label whose metadata areas are overwritten is what another use of the volume left of it.
            var strength = ProbeMatch.Strength.firm
            if let area = label.metadataAreas.first {
                let header = try LVMMetadataHeader.read(reader.device, area: area)
                strength = header == nil ? .weak : .verified
            }
            found.append(ProbeMatch(identity, .volumeManager, strength))
        }
        if let block = try reader.bytes(0, 512), block.span8.matches(Array("HM".utf8)) {
            let version: UInt16 = block.little(2)
            let uuid = block.text(44..<76)
            if version == 1 || version == 2, let uuid, uuid.utf8.count == 32 {
                found.append(
                    ProbeMatch(
                        VolumeIdentity(
                            kind: .init(rawValue: "LVM1_member"), uuid: LVMLabel.dashed(Array(uuid.utf8)),
                            version: "LVM1"), .volumeManager))
            }
        }
        return found
    }
}
