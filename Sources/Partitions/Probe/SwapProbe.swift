internal import Storage

/// Linux swap areas: the signature ends the first page, whatever size pages had on the machine that made it.
enum SwapProbe {
    private static let pageSizes: [UInt64] = [4096, 8192, 16384, 32768, 65536]

    static func matches(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        for pageSize in pageSizes {
            guard let mark = try reader.bytes(pageSize - 10, 10) else { break }
            if let match = try match(reader, mark: mark, pageSize: pageSize) { return [match] }
        }
        return []
    }

    private static func match(
        _ reader: ProbeReader, mark: [UInt8], pageSize: UInt64
    ) throws(StorageError) -> ProbeMatch? {
        let name = String(decoding: mark.prefix { $0 != 0 }, as: UTF8.self)
        if name == "SWAP-SPACE" {
            return ProbeMatch(VolumeIdentity(kind: .swap, version: "0", blockSize: UInt32(pageSize)), .swap)
        }
        let isHibernated =
            ["S1SUSPEND", "S2SUSPEND", "ULSUSPEND", "LINHIB0001"].contains(name)
            || mark.starts(with: [0xed, 0xc3, 0x02, 0xe9, 0x98, 0x56, 0xe5, 0x0c])
        guard name == "SWAPSPACE2" || isHibernated, let header = try reader.bytes(1024, 1024) else {
            return nil
        }
        // A header of the other byte order has its version in the other byte.
        let isBig = header.big(0, as: UInt32.self) == 1
        let version: UInt32 = isBig ? header.big(0) : header.little(0)
        let lastPage: UInt32 = isBig ? header.big(4) : header.little(4)
        guard version == 1, lastPage != 0 else { return nil }
        let identity = VolumeIdentity(
            kind: .swap, uuid: header.uuidText(12), label: header.label(28..<44), version: "1",
            byteCount: (UInt64(lastPage) + 1) * pageSize, blockSize: UInt32(pageSize),
            isHibernated: isHibernated)
        return ProbeMatch(identity, .swap)
    }
}
