internal import Storage

/// The tables of a qcow version 1 image.
struct QCOW1Tables: TwoLevelTables {
    static var codes: TwoLevelCodes<QCOW1Code> {
        TwoLevelCodes(outsideFile: .outsideFile, overlap: .overlap, overlapUnknown: .overlapUnknown)
    }

    var table: TwoLevelTable
    let byteCount: UInt64
    let clusterBits: UInt64
    let fileEnd: UInt64
    var secondAlignment: UInt64 { 8 }

    init(_ file: any ByteFile, header: QCOW1Header) {
        byteCount = header.diskSize
        clusterBits = header.clusterBits
        fileEnd = file.byteCount
        table = TwoLevelTable(
            file, offset: header.tableOffset, count: header.tableCount, secondBits: header.tableBits,
            isBigEndian: true)
    }

    func entry(_ raw: UInt64) -> TwoLevelEntry? {
        guard raw != 0 else { return .free }
        guard raw >> 63 == 0 else {
            // The length stands above the place, in as many bits as a cluster has.
            let length = raw >> placeBits & (1 << clusterBits - 1)
            let host = place(named: raw)
            guard length > 0, table.contains(host, count: length) else { return nil }
            return .compressed(host..<host + length)
        }
        return raw < fileEnd && raw % 512 == 0 ? .plain(raw) : nil
    }

    /// How many bits of a compressed cluster's entry say where it lies.
    private var placeBits: UInt64 { 63 - clusterBits }

    func place(named raw: UInt64) -> UInt64 { raw >> 63 == 0 ? raw : raw & (1 << placeBits - 1) }
}
