internal import Storage

/// A VHD file whose footer and header were read and fit the file.
struct VHDDisk: Sendable {
    /// The largest disk: 2040 GiB by the format, and a little more that XenServer's tools make (below 2 TiB).
    static let sizeLimit: UInt64 = 2 << 40

    let file: any ByteFile
    private(set) var placement: VHDFooterPlacement
    /// The guest disk's size in bytes.
    let byteCount: UInt64
    /// Nil in a fixed disk.
    let header: VHDDynamicHeader?

    var footer: VHDFooter { placement.footer }

    /// Reads and checks them. With `isSalvage` a fixed disk may end before its size does.
    init(_ file: any ByteFile, rule: VHDSizeRule = .byCreator, isSalvage: Bool = false) throws(StorageError) {
        self.file = file
        placement = try VHDFooterPlacement(in: file)
        byteCount = placement.footer.byteCount(by: rule)
        let end = placement.endOffset
        guard byteCount > 0 else {
            throw .vhd(
                .corrupt, .sizeZero, "the disk has no sectors", structure: "footer", field: "current size",
                offset: end)
        }
        guard byteCount <= Self.sizeLimit else {
            throw .vhd(
                .corrupt, .sizeTooLarge, "the disk is said to have \(byteCount) bytes, more than a VHD can",
                structure: "footer", field: "current size", offset: end)
        }
        guard placement.footer.kind != .fixed else {
            header = nil
            if !isSalvage { try checkFixed() }
            return
        }
        let offset = placement.footer.dataOffset
        let header = try VHDDynamicHeader(in: file, at: offset, diskSize: byteCount)
        self.header = header
        if !header.checksumIsRight {
            placement.warnings.append("the dynamic disk header's checksum is wrong")
            placement.writeRefusal =
                placement.writeRefusal
                ?? .vhd(
                    .refused, .badChecksum,
                    "the dynamic disk header's checksum is wrong; the disk can be read (convert it to get a "
                        + "sound one), not written in place", structure: "dynamic disk header",
                    field: "checksum", offset: offset, path: file.path)
        }
    }

    private mutating func checkFixed() throws(StorageError) {
        let end = placement.endOffset
        guard byteCount <= end else {
            throw .vhd(
                .corrupt, .sizePastFile,
                "the disk is said to have \(byteCount) bytes and the file holds \(end); it may be truncated",
                structure: "footer", field: "current size", offset: end)
        }
        if byteCount != end || placement.writeRefusal != nil {
            placement.warnings.append(
                "only the last sector says that this is a VHD; if it is a plain disk that ends so, open it as raw"
            )
        }
    }
}
