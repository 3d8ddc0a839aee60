package import Storage

/// Microsoft's VHD: Virtual PC, Hyper-V's first generation, XenServer, Azure.
package enum VHDDriver: ImageDriver {
    package static var format: ImageFormat { .vhd }

    /// By the footer at the end, or its copy at the start.
    package static func recognises(head: [UInt8], tail: [UInt8], byteCount: UInt64) -> Bool {
        VHDFooterPlacement.footer(endingIn: tail)?.footer.kind != nil
            || VHDFooterPlacement.footer(beginning: head)?.kind != nil
    }

    package static func open(
        _ file: HostFile, options: ImageOpenOptions
    ) throws(StorageError) -> OpenedImage {
        let footer = try VHDFooterPlacement(in: file)
        let size = footer.footer.byteCount()
        try check(size: size, offset: footer.endOffset)
        if footer.footer.kind == .fixed { return try openFixed(file, footer, size: size) }
        return try openDynamic(file, footer, size: size)
    }

    /// The largest disk: 2040 GiB by the format, and a little more that XenServer's tools make (below 2 TiB).
    static let sizeLimit: UInt64 = 2 << 40

    private static func check(size: UInt64, offset: UInt64) throws(StorageError) {
        guard size > 0 else {
            throw .vhd(
                .corrupt, .sizeZero, "the disk has no sectors", structure: "footer", field: "current size",
                offset: offset)
        }
        guard size <= sizeLimit else {
            throw .vhd(
                .corrupt, .sizeTooLarge, "the disk is said to have \(size) bytes, more than a VHD can",
                structure: "footer", field: "current size", offset: offset)
        }
    }

    private static func openFixed(
        _ file: HostFile, _ footer: VHDFooterPlacement, size: UInt64
    ) throws(StorageError) -> OpenedImage {
        guard size <= footer.endOffset else {
            throw .vhd(
                .corrupt, .sizePastFile,
                "the disk is said to have \(size) bytes and the file holds \(footer.endOffset); it may be "
                    + "truncated", structure: "footer", field: "current size", offset: footer.endOffset)
        }
        var footer = footer
        if size != footer.endOffset || footer.writeRefusal != nil {
            footer.warnings.append(
                "only the last sector says that this is a VHD; if it is a plain disk that ends so, use -f raw"
            )
        }
        let map = VHDFixedMap(file, byteCount: size, writeRefusal: footer.writeRefusal)
        return OpenedImage(disk: Image(map: map), info: info(of: file, footer, size: size))
    }

    private static func openDynamic(
        _ file: HostFile, _ footer: VHDFooterPlacement, size: UInt64
    ) throws(StorageError) -> OpenedImage {
        var footer = footer
        let offset = footer.footer.dataOffset
        let header = try VHDDynamicHeader(in: file, at: offset, diskSize: size)
        if !header.checksumIsRight {
            footer.warnings.append("the dynamic disk header's checksum is wrong")
            footer.writeRefusal =
                footer.writeRefusal
                ?? .vhd(
                    .refused, .badChecksum,
                    "the dynamic disk header's checksum is wrong; the disk can be read (convert it to get a "
                        + "sound one), not written in place", structure: "dynamic disk header",
                    field: "checksum", offset: offset, path: file.path)
        }
        let map = VHDDynamicMap(
            file, footer: footer, header: header, byteCount: size, writeRefusal: footer.writeRefusal)
        if map.blockCount * 4 <= VHDDynamicMap.eagerTableLimit { try map.checkTable(limit: file.byteCount) }
        var info = info(of: file, footer, size: size)
        info.unitSize = map.blockSize
        return OpenedImage(disk: Image(map: map), info: info)
    }
}
