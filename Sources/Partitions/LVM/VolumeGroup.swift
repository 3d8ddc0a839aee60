internal import Storage

/// A volume group as its metadata text describes it. Sizes are in 512-byte sectors and extents, as in the text.
struct VolumeGroup: Sendable {
    let name: String
    let id: String
    let seqno: UInt64
    let status: Set<String>
    /// The system that owns the group; nil when anyone may use it.
    let systemID: String?
    /// The lock manager, where one is needed.
    let lockType: String?
    /// In sectors.
    let extentSize: UInt64
    let physicalVolumes: [PhysicalVolume]
    let logicalVolumes: [LogicalVolume]

    /// A physical volume as the text lists it.
    struct PhysicalVolume: Sendable {
        /// Its name within the text: "pv0".
        let name: String
        let id: String
        let isMissing: Bool
        /// Where its first extent begins, in sectors. The label's own data area may say otherwise; this counts.
        let start: UInt64
        let extentCount: UInt64
        /// The device it was last seen on; a hint for messages.
        let deviceHint: String?
    }

    static let volumeLimit = 65536
    static let segmentLimit = 65536

    /// The group in a text that holds one; the other top-level entries are the text's header.
    static func parse(_ text: [UInt8]) throws(StorageError) -> VolumeGroup {
        let root = try LVMTextParser.parse(text)
        guard let (name, section) = root.sections.first else {
            throw .lvm(.corrupt, .textField, "the metadata text holds no volume group")
        }
        return try VolumeGroup(name: name, section)
    }

    private init(name: String, _ section: LVMSection) throws(StorageError) {
        guard let id = section.string("id") else {
            throw .lvm(.corrupt, .textField, "volume group \(name) has no id", field: "id")
        }
        self.name = name
        self.id = id
        seqno = try section.required("seqno")
        status = Set(section.strings("status") + section.strings("flags"))
        systemID = section.string("system_id").flatMap { $0.isEmpty ? nil : $0 }
        lockType = section.string("lock_type").flatMap { $0 == "none" ? nil : $0 }
        extentSize = try section.required("extent_size")
        // A multiple of 1 KiB; more than 2^40 sectors is no disk.
        guard extentSize > 0, extentSize <= 1 << 40 else {
            throw .lvm(
                .corrupt, .textRange, "volume group \(name) has an impossible extent size",
                field: "extent_size")
        }
        let physical = section.section("physical_volumes")?.sections ?? []
        let logical = section.section("logical_volumes")?.sections ?? []
        guard physical.count <= Self.volumeLimit, logical.count <= Self.volumeLimit else {
            throw .lvm(.corrupt, .textRange, "volume group \(name) lists too many volumes")
        }
        physicalVolumes = try physical.map { (name, section) throws(StorageError) in
            try PhysicalVolume(name: name, section)
        }
        logicalVolumes = try logical.map { (name, section) throws(StorageError) in
            try LogicalVolume(name: name, section)
        }
    }

    /// Bytes of an extent count; nil when that is no size a device can have.
    func byteCount(extents: UInt64) -> UInt64? {
        guard let sectors = extents *? extentSize, let bytes = sectors *? 512, bytes <= UInt64(Int64.max)
        else {
            return nil
        }
        return bytes
    }
}

extension VolumeGroup.PhysicalVolume {
    init(name: String, _ section: LVMSection) throws(StorageError) {
        guard let id = section.string("id") else {
            throw .lvm(.corrupt, .textField, "physical volume \(name) has no id", field: "id")
        }
        self.name = name
        self.id = id
        isMissing =
            section.strings("flags").contains("MISSING") || section.strings("status").contains("MISSING")
        start = try section.required("pe_start")
        extentCount = try section.required("pe_count")
        deviceHint = section.string("device")
    }
}
