internal import Glibc
package import Storage

extension VHDDriver {
    /// The largest disk that is made: 2040 GiB.
    static let createLimit: UInt64 = 2040 << 30

    /// Options: `subformat` (dynamic, fixed), `force_size` (always so here: sizes are exact), `block_size`
    /// (dynamic; 2M), `profile` (azure: fixed, whole MiB).
    package static func create(
        _ path: String, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> OpenedImage {
        try options.check(known: ["subformat", "force_size", "block_size", "profile"], format: .vhd)
        _ = try options.flag("force_size", default: true, format: .vhd)
        guard options.sectorSize == 512 else {
            throw .vhd(
                .refused, .badOption,
                "VHD has sectors of 512 bytes and the disk has \(options.sectorSize); VHDX can hold it",
                path: path)
        }
        var isFixed = false
        var unit: UInt64 = 512
        if let profile = options.value("profile") {
            guard profile == "azure" else { throw options.badValue("profile", "azure", .vhd) }
            (isFixed, unit) = (true, 1 << 20)
        }
        switch options.value("subformat") {
        case nil: break
        case "fixed": isFixed = true
        case "dynamic":
            guard unit == 512 else {
                throw .vhd(.misuse, .badOption, "profile azure needs subformat fixed", path: path)
            }
        default: throw options.badValue("subformat", "dynamic or fixed", .vhd)
        }
        guard byteCount > 0, let size = byteCount.roundedUp(to: unit), size <= createLimit else {
            throw .vhd(
                .refused, .sizeTooLarge,
                "a VHD has 1 byte to 2040 GiB, not \(byteCount) bytes; VHDX goes to 64 TiB",
                path: path)
        }
        let blockSize = try options.byteCount("block_size", format: .vhd) ?? 2 << 20
        guard let block = UInt32(exactly: blockSize),
            (4096...VHDDynamicHeader.blockSizes.upperBound).contains(block),
            block.nonzeroBitCount == 1
        else { throw options.badValue("block_size", "a power of two from 4K to 256M", .vhd) }

        let footer = VHDFooter(
            kind: isFixed ? .fixed : .dynamic, byteCount: size, identifier: try UUID16.random(),
            timestamp: now())
        let file = try HostFile.create(path)
        if isFixed {
            try file.truncate(to: size)
            try file.write(footer.bytes, at: size)
            let placement = VHDFooterPlacement(footer: footer, endOffset: size)
            let map = VHDFixedMap(file, byteCount: size, writeRefusal: nil)
            return OpenedImage(disk: Image(map: map), info: info(of: file, placement, size: size))
        }
        let header = VHDDynamicHeader(
            tableEntries: UInt32(size.dividedRoundingUp(by: blockSize)), blockSize: block)
        return try writeEmpty(file, footer, header, size: size)
    }

    /// Footer copy, header, a table without blocks, footer: at 4 KiB, so that the first block's data can be too.
    private static func writeEmpty(
        _ file: HostFile, _ footer: VHDFooter, _ header: VHDDynamicHeader, size: UInt64
    ) throws(StorageError) -> OpenedImage {
        try file.write(footer.bytes + header.bytes, at: 0)
        let tableEnd = header.tableOffset + (UInt64(header.tableEntries) * 4 + 511) / 512 * 512
        let empty = [UInt8](repeating: 0xff, count: TablePages.pageSize)
        var position = header.tableOffset
        while position < tableEnd {
            let count = Int(min(tableEnd - position, UInt64(empty.count)))
            try file.write(empty.span8.extracting(0..<count), at: position)
            position += UInt64(count)
        }
        let end = (tableEnd + 4095) / 4096 * 4096
        try file.write(footer.bytes, at: end)
        let placement = VHDFooterPlacement(footer: footer, endOffset: end)
        let map = VHDDynamicMap(
            file, footer: placement, header: header, byteCount: size, writeRefusal: nil, isFresh: true)
        var info = info(of: file, placement, size: size)
        info.unitSize = map.blockSize
        return OpenedImage(disk: Image(map: map), info: info)
    }

    /// Seconds since 2000, as time stamps count.
    static func now() -> UInt32 {
        UInt32(truncatingIfNeeded: Int64(time(nil)) - VHDFooter.epoch)
    }
}
