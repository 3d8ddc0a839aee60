internal import Storage

/// A member of a ZFS pool: uberblocks in its labels, name and GUIDs in the label's XDR list.
enum ZFSProbe {
    private static let labelSize: UInt64 = 256 << 10
    private static let listOffset: UInt64 = 16 << 10
    private static let uberblockOffset: UInt64 = 128 << 10
    private static let magic: UInt64 = 0x00ba_b10c
    /// How many pairs of a list are looked at.
    private static let pairLimit = 64

    static func matches(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        guard reader.byteCount >= 64 << 20 else { return [] }
        let end = reader.byteCount & ~(labelSize - 1)
        for label in [0, labelSize, end - 2 * labelSize, end - labelSize] {
            // A look at the list's header and the first name spares reading 128 KiB of uberblocks.
            guard let list = try reader.bytes(label + listOffset, 4096), isList(list),
                let version = try uberblockVersion(reader, at: label + uberblockOffset)
            else { continue }
            let pairs = pairs(list)
            let identity = VolumeIdentity(
                kind: .init(rawValue: "zfs_member"), uuid: pairs.guid.map { String($0) }, label: pairs.name,
                version: String(version))
            return [ProbeMatch(identity, .fileSystem)]
        }
        return []
    }

    /// XDR encoding, either byte order of the writer, version 0.
    private static func isList(_ list: [UInt8]) -> Bool {
        list[0] == 1 && list[1] <= 1 && list.big(4, as: UInt32.self) == 0
    }

    private static func uberblockVersion(
        _ reader: ProbeReader, at offset: UInt64
    ) throws(StorageError) -> UInt64? {
        guard let blocks = try reader.bytes(offset, 128 << 10) else { return nil }
        for block in stride(from: 0, to: blocks.count, by: 1024) {
            if blocks.little(block, as: UInt64.self) == magic { return blocks.little(block + 8) }
            if blocks.big(block, as: UInt64.self) == magic { return blocks.big(block + 8) }
        }
        return nil
    }

    private static func pairs(_ list: [UInt8]) -> (name: [UInt8]?, guid: UInt64?) {
        var result: (name: [UInt8]?, guid: UInt64?) = (nil, nil)
        var offset = 12
        for _ in 0..<pairLimit {
            guard offset + 12 <= list.count else { break }
            let size = Int(list.big(offset, as: UInt32.self))
            let nameLength = Int(list.big(offset + 8, as: UInt32.self))
            guard size >= 20, size <= list.count - offset, nameLength <= size - 20 else { break }
            let name = String(decoding: list[offset + 12..<offset + 12 + nameLength], as: UTF8.self)
            let value = offset + 12 + (nameLength + 3) / 4 * 4
            if value + 16 <= offset + size {
                if name == "pool_guid" { result.guid = list.big(value + 8) }
                let length = Int(list.big(value + 8, as: UInt32.self))
                if name == "name", length <= offset + size - value - 12 {
                    result.name = Array(list[value + 12..<value + 12 + length])
                }
            }
            offset += size
        }
        return result
    }
}
