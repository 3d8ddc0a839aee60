internal import Storage

/// What a new disk's descriptor says.
struct VMDKNewDescriptor {
    /// What a child knows of its parent.
    struct Parent {
        var contentID: UInt32
        /// The parent's path as it is stored.
        var hint: [UInt8]
    }

    var options: VMDKCreateOptions
    var byteCount: UInt64
    var extents: [VMDKNewExtent]
    var contentID: UInt32
    var parent: Parent?

    /// The text. A stream's extent is read-only: nothing is written into it.
    func text() throws(StorageError) -> [UInt8] {
        let geometry = Geometry(
            sectors: byteCount / VMDKSparseHeader.sectorSize, adapterType: options.adapterType)
        let longContentID = try SystemRandom.bytes(12).hexString + contentID.hex8
        var text = """
            # Disk DescriptorFile
            version=1
            encoding="UTF-8"
            CID=\(contentID.hex8)
            parentCID=\((parent?.contentID ?? VMDKDescriptor.noParent).hex8)
            createType="\(options.subformat.rawValue)"

            """.hostBytes
        if let parent { text += "parentFileNameHint=\"".hostBytes + parent.hint + "\"\n".hostBytes }
        text += "\n# Extent description\n".hostBytes
        for extent in extents { text += line(of: extent).hostBytes }
        text +=
            """

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

            """.hostBytes
        if let identifier = options.identifier {
            // VMware's own way of writing it: "60 00 C2 9a c9 ec 2d a9-3d 15 2f ea 25 fb e4 1f".
            let digits = identifier.bytes.map { [$0].hexString }
            let halves = [digits[..<8], digits[8...]].map { $0.joined(separator: " ") }
            text += "ddb.uuid = \"\(halves.joined(separator: "-"))\"\n".hostBytes
        }
        return text
    }

    private func line(of extent: VMDKNewExtent) -> String {
        let sectors = (extent.range.upperBound - extent.range.lowerBound) / VMDKSparseHeader.sectorSize
        let (access, kind, rest) =
            switch options.subformat {
            case .monolithicSparse, .twoGbMaxExtentSparse: ("RW", "SPARSE", "")
            case .streamOptimized: ("RDONLY", "SPARSE", "")
            case .monolithicFlat, .twoGbMaxExtentFlat: ("RW", "FLAT", " 0")
            case .vmfs: ("RW", "VMFS", "")
            }
        return "\(access) \(sectors) \(kind) \"\(extent.name)\"\(rest)\n"
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
