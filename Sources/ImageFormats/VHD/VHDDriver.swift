package import Storage

/// Microsoft's VHD: Virtual PC, Hyper-V's first generation, XenServer, Azure.
package enum VHDDriver: ImageDriver {
    package static var format: ImageFormat { .vhd }
    package static var makesChildren: Bool { true }

    /// By the footer at the end, or its copy at the start.
    package static func recognises(head: [UInt8], tail: [UInt8], byteCount: UInt64) -> Bool {
        VHDFooterPlacement.footer(endingIn: tail)?.footer.kind != nil
            || VHDFooterPlacement.footer(beginning: head)?.kind != nil
    }

    package static func open(
        _ file: any ByteFile, options: ImageOpenOptions
    ) throws(StorageError) -> OpenedImage {
        try open(
            try VHDDisk(file, rule: options.vhdSize, isSalvage: options.isSalvage), options,
            chain: ParentChain(file))
    }

    /// Of a differencing disk too, whose parent is not opened for it.
    package static func describe(_ file: any ByteFile) throws(StorageError) -> ImageInfo {
        try info(of: try VHDDisk(file))
    }

    static func open(
        _ disk: VHDDisk, _ options: ImageOpenOptions, chain: ParentChain
    ) throws(StorageError) -> OpenedImage {
        var info = try info(of: disk)
        guard let header = disk.header else {
            let map = VHDFixedMap(
                disk.file, byteCount: disk.byteCount, writeRefusal: disk.placement.writeRefusal)
            return OpenedImage(disk: Image(map: map), info: info)
        }
        let map = VHDDynamicMap(
            options.mapped(disk.file, unit: UInt64(header.blockSize)), footer: disk.placement, header: header,
            byteCount: disk.byteCount,
            batmap: try VHDBatmap(in: disk.file, header), writeRefusal: disk.placement.writeRefusal)
        if map.blockCount * 4 <= VHDDynamicMap.eagerTableLimit, !options.isSalvage {
            try map.checkTable(limit: disk.file.byteCount)
        }
        guard map.isDifferencing else { return OpenedImage(disk: Image(map: map), info: info) }
        let (parent, warning) = try openParent(of: disk, header, options, chain: chain)
        if let warning { info.warnings.append(warning) }
        return OpenedImage(disk: Image(map: map, parent: parent.disk), info: info)
    }
}
