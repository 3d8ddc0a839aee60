internal import Storage

/// The tables of a QED image.
struct QEDTables: TwoLevelTables {
    static var codes: TwoLevelCodes<QEDCode> {
        TwoLevelCodes(outsideFile: .outsideFile, overlap: .overlap, overlapUnknown: .overlapUnknown)
    }

    var table: TwoLevelTable
    let byteCount: UInt64
    let clusterBits: UInt64
    let fileEnd: UInt64
    var secondAlignment: UInt64 { 1 << clusterBits }

    init(_ file: any ByteFile, header: QEDHeader) {
        byteCount = header.diskSize
        clusterBits = header.clusterBits
        fileEnd = file.byteCount
        table = TwoLevelTable(
            file, offset: header.tableOffset, count: 1 << header.tableBits, secondBits: header.tableBits,
            isBigEndian: false)
    }

    func entry(_ raw: UInt64) -> TwoLevelEntry? {
        switch raw {
        case 0: .free
        case 1: .zero
        default: raw % (1 << clusterBits) == 0 && raw < fileEnd ? .plain(raw) : nil
        }
    }
}
