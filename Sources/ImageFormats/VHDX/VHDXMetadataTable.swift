internal import Storage

/// The table of the metadata region: which items there are, and their bytes ([MS-VHDX] 2.6.1).
struct VHDXMetadataTable: Sendable {
    static let signature = Array("metadata".utf8)
    static let byteCount = 64 << 10
    static let entryLimit: UInt16 = 2047
    /// All items together are no larger, by the specification.
    static let itemLimit: UInt64 = 1 << 20

    /// Where the region begins in the file.
    let offset: UInt64
    private var items: [UUID16: [UInt8]] = [:]
    /// Where each lies in the file.
    private(set) var places: [UUID16: UInt64] = [:]

    private static let names: [UUID16: String] = [
        VHDXGUID.fileParameters: "FileParameters", VHDXGUID.virtualDiskSize: "VirtualDiskSize",
        VHDXGUID.virtualDiskID: "VirtualDiskID", VHDXGUID.logicalSectorSize: "LogicalSectorSize",
        VHDXGUID.physicalSectorSize: "PhysicalSectorSize", VHDXGUID.parentLocator: "ParentLocator",
    ]

    /// Reads the items that are known. `read` shows the file with a pending log applied.
    init(
        in region: Range<UInt64>, read: (UInt64, Int) throws(StorageError) -> [UInt8]
    ) throws(StorageError) {
        offset = region.lowerBound
        let table = try read(region.lowerBound, Self.byteCount)
        guard table.span8.matches(Self.signature), table.little(10, as: UInt16.self) <= Self.entryLimit else {
            throw bad(.corrupt, .metadataTable, "there is no metadata table where the region table says")
        }
        var total: UInt64 = 0
        for index in 0..<Int(table.little(10, as: UInt16.self)) {
            let at = 32 + index * 32
            let guid = UUID16(mixedEndian: table.span8, at: at)
            let flags: UInt32 = table.little(at + 24)
            // Bit 0 marks a user's item: one that happens to have a known GUID is another thing.
            guard let name = Self.names[guid], flags & 1 == 0 else {
                guard flags & 4 == 0 else {
                    throw bad(
                        .unsupported, .unknownItem, "needs a metadata item that is not known, \(guid)", at: at
                    )
                }
                continue
            }
            guard items[guid] == nil else {
                throw bad(.corrupt, .itemDuplicate, "lists \(name) twice", at: at)
            }
            let start: UInt32 = table.little(at + 16)
            let length: UInt32 = table.little(at + 20)
            total += UInt64(length)
            guard start >= Self.byteCount, total <= Self.itemLimit,
                UInt64(start) + UInt64(length) <= region.upperBound - region.lowerBound
            else { throw bad(.corrupt, .itemPlace, "\(name) lies outside its region", at: at) }
            places[guid] = region.lowerBound + UInt64(start)
            items[guid] = try read(region.lowerBound + UInt64(start), Int(length))
        }
    }

    /// The bytes of an item that has to be there and have at least `count`.
    func item(_ guid: UUID16, count: Int) throws(StorageError) -> [UInt8] {
        guard let bytes = items[guid], bytes.count >= count else {
            throw bad(.corrupt, .itemMissing, "\(Self.names[guid] ?? "an item") is missing or too short")
        }
        return bytes
    }

    /// An error in the region.
    func bad(
        _ kind: StorageError.Kind, _ code: VHDXCode, _ message: String, field: String? = nil,
        at place: Int = 0
    ) -> StorageError {
        .vhdx(
            kind, code, message, structure: "metadata table", field: field, offset: offset + UInt64(place))
    }
}
