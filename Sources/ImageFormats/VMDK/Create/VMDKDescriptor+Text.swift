internal import Storage

extension VMDKDescriptor {
    /// The text of a new disk's descriptor with one extent in the file `name`.
    static func text(
        byteCount: UInt64, extent name: String, contentID: UInt32, options: VMDKCreateOptions
    ) throws(StorageError) -> [UInt8] {
        let sectors = byteCount / VMDKSparseHeader.sectorSize
        let line =
            switch options.subformat {
            case .monolithicSparse: "RW \(sectors) SPARSE \"\(name)\""
            case .monolithicFlat: "RW \(sectors) FLAT \"\(name)\" 0"
            case .vmfs: "RW \(sectors) VMFS \"\(name)\""
            }
        let geometry = Geometry(sectors: sectors, adapterType: options.adapterType)
        let longContentID = try SystemRandom.bytes(12).hexString + contentID.hex8
        let text = """
            # Disk DescriptorFile
            version=1
            encoding="UTF-8"
            CID=\(contentID.hex8)
            parentCID=ffffffff
            createType="\(options.subformat.rawValue)"

            # Extent description
            \(line)

            # The Disk Data Base
            #DDB

            ddb.adapterType = "\(options.adapterType)"
            ddb.geometry.cylinders = "\(geometry.cylinders)"
            ddb.geometry.heads = "\(geometry.heads)"
            ddb.geometry.sectors = "\(geometry.sectors)"
            ddb.longContentID = "\(longContentID)"
            ddb.toolsInstallType = "4"
            ddb.toolsVersion = "\(options.toolsVersion)"
            ddb.virtualHWVersion = "\(options.hardwareVersion)"

            """
        return text.hostBytes
    }

    /// The geometry that VMware's tools give a disk of a size: by adapter and, on SCSI, by size.
    private struct Geometry {
        var cylinders: UInt64
        var heads: UInt64
        var sectors: UInt64

        init(sectors total: UInt64, adapterType: String) {
            let perGiB: UInt64 = (1 << 30) / VMDKSparseHeader.sectorSize
            (heads, sectors) =
                adapterType == "ide"
                ? (16, 63) : total < perGiB ? (64, 32) : total < 2 * perGiB ? (128, 32) : (255, 63)
            let fitting = total / (heads * sectors)
            cylinders = max(adapterType == "ide" ? min(fitting, 16383) : fitting, 1)
        }
    }
}
