package import Storage

extension VHDXDriver {
    package static var createOptions: [ImageCreateOption] {
        [
            ImageCreateOption("subformat", "dynamic (without it) or fixed"),
            ImageCreateOption("block_size", "bytes of a block, 1M to 256M"),
            ImageCreateOption("log_size", "bytes of the log, whole MiB"),
            ImageCreateOption("logical_sector_size", "512 or 4096"),
            ImageCreateOption("physical_sector_size", "512 or 4096"),
        ]
    }

    /// Options: `subformat` (dynamic, fixed), `block_size` (1M to 256M, powers of two; by default as small as keeps
    /// the table under 8 MiB, because Linux file systems spread small pieces over the disk), `log_size` (whole
    /// MiB; 1M), `logical_sector_size` and `physical_sector_size` (512 or 4096). With a parent: a differencing disk,
    /// and 0 bytes means the parent's size.
    package static func create(
        _ path: String, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> OpenedImage {
        let parent = try options.parent.map { (path) throws(StorageError) in
            try VHDXDisk(try options.files.open(path, access: .read))
        }
        let wanted = byteCount == 0 ? parent?.metadata.byteCount ?? 0 : byteCount
        let layout = try VHDXLayout(options, byteCount: wanted, parent: parent)
        guard wanted > 0, let size = wanted.roundedUp(to: UInt64(layout.sectorSize)),
            size <= VHDXMetadata.sizeLimit
        else {
            throw .vhdx(.refused, .diskSize, "a VHDX has 1 byte to 64 TiB, not \(wanted) bytes", path: path)
        }
        // The caller named the parent; its own parents may lie beside it.
        let below = try parent.map { (parent) throws(StorageError) in
            try open(
                parent,
                ImageOpenOptions(files: options.files, references: ReferencePolicy(allowsSiblings: true)),
                chain: ParentChain(parent.file, above: 1))
        }
        let metadata = VHDXMetadata(
            byteCount: size, blockSize: layout.blockSize, sectorSize: layout.sectorSize,
            physicalSectorSize: layout.physicalSectorSize, isFixed: layout.isFixed, diskID: try .random(),
            parent: parent.map {
                VHDXParentLocator(
                    linkage: $0.headers.current.dataWriteGUID,
                    relativePath: ParentName.relativePath(
                        of: $0.file.path, from: options.finalPath ?? path, in: options.files))
            })
        let file = try options.files.create(path)
        try writeTables(to: file, metadata, logSize: layout.logSize)
        let disk = try VHDXDisk(file)
        return OpenedImage(
            disk: Image(map: VHDXMap(disk, isFresh: true), parent: below?.disk), info: info(of: disk))
    }

    /// Identifier, headers and region tables; then log, metadata and table, each at a MiB, as Hyper-V lays them.
    private static func writeTables(
        to file: any ByteFile, _ metadata: VHDXMetadata, logSize: UInt32
    ) throws(StorageError) {
        let mebibyte = VHDXRegions.alignment
        let logOffset = mebibyte
        let metadataOffset = logOffset + UInt64(logSize)
        let tableOffset = metadataOffset + mebibyte
        let layout = VHDXTableLayout(metadata)
        let tableSize = (layout.entryCount * 8).dividedRoundingUp(by: mebibyte) * mebibyte
        let dataOffset = tableOffset + tableSize
        let size =
            metadata.leavesBlocksAllocated ? dataOffset + layout.blockCount * layout.blockSize : dataOffset
        try file.truncate(to: size)

        let creator = "diskgraft"
        var identifier = VHDXDisk.signature
        for unit in creator.utf16 {
            identifier += [UInt8(truncatingIfNeeded: unit), UInt8(truncatingIfNeeded: unit >> 8)]
        }
        try file.write(identifier, at: 0)
        var header = VHDXHeader(logOffset: logOffset, logLength: logSize)
        header.fileWriteGUID = try .random()
        header.dataWriteGUID = try .random()
        for (slot, offset) in VHDXHeader.offsets.enumerated() {
            header.sequence = UInt64(slot) + 1
            try file.write(header.sealed(), at: offset)
        }
        let regions = VHDXRegions(
            bat: tableOffset..<dataOffset, metadata: metadataOffset..<tableOffset)
        for offset in VHDXRegions.offsets { try file.write(regions.encoded(), at: offset) }
        try file.write(metadata.encoded(), at: metadataOffset)
        if metadata.leavesBlocksAllocated {
            try writeFullTable(to: file, layout, at: tableOffset, dataOffset)
        }
    }

    /// The table of a fixed disk: every block in its place, one after the other.
    private static func writeFullTable(
        to file: any ByteFile, _ layout: VHDXTableLayout, at offset: UInt64, _ dataOffset: UInt64
    ) throws(StorageError) {
        var index: UInt64 = 0
        while index < layout.entryCount {
            let count = Int(min(layout.entryCount - index, 1 << 13))
            var bytes = [UInt8](repeating: 0, count: count * 8)
            bytes.withMutableBytes { bytes in
                for slot in 0..<count where !layout.isBitmap(VHDXTableIndex(index + UInt64(slot))) {
                    let block = layout.block(at: VHDXTableIndex(index + UInt64(slot)))
                    let entry = VHDXEntry(.full, at: dataOffset + block * layout.blockSize)
                    bytes.storeLittle(entry.raw, at: slot * 8)
                }
            }
            try file.write(bytes, at: offset + index * 8)
            index += UInt64(count)
        }
    }
}

/// What the options of `create` ask for.
private struct VHDXLayout {
    var isFixed = false
    var blockSize: UInt32
    var logSize: UInt32 = 1 << 20
    var sectorSize: UInt32
    var physicalSectorSize: UInt32 = 4096

    init(
        _ options: ImageCreateOptions, byteCount: UInt64, parent: VHDXDisk?
    ) throws(StorageError) {
        try options.check(
            known: VHDXDriver.createOptions.map(\.name),
            format: .vhdx)
        switch options.value("subformat") {
        case nil, "dynamic": break
        case "fixed": isFixed = true
        default: throw options.badValue("subformat", "dynamic or fixed", .vhdx)
        }
        if isFixed, parent != nil {
            throw .vhdx(.misuse, .badOption, "a disk with a parent cannot be fixed")
        }
        sectorSize = parent?.metadata.sectorSize ?? options.sectorSize
        sectorSize = try Self.sectors(options, "logical_sector_size") ?? sectorSize
        physicalSectorSize = try Self.sectors(options, "physical_sector_size") ?? physicalSectorSize
        guard [512, 4096].contains(sectorSize), physicalSectorSize >= sectorSize else {
            throw .vhdx(
                .misuse, .badOption,
                "sectors have 512 or 4096 bytes, physical ones no less than logical ones")
        }
        if let parent, parent.metadata.sectorSize != sectorSize {
            throw .vhdx(.misuse, .badOption, "a child has its parent's sectors")
        }
        var block = UInt64(parent?.metadata.blockSize ?? 1 << 20)
        if parent == nil {
            while byteCount / block > 1 << 20, block < UInt64(VHDXMetadata.blockSizes.upperBound) {
                block *= 2
            }
        }
        block = try options.byteCount("block_size", format: .vhdx) ?? block
        guard let size = UInt32(exactly: block), VHDXMetadata.blockSizes.contains(size),
            size.nonzeroBitCount == 1
        else { throw options.badValue("block_size", "a power of two from 1M to 256M", .vhdx) }
        blockSize = size
        let log = try options.byteCount("log_size", format: .vhdx) ?? 1 << 20
        guard let size = UInt32(exactly: log), size > 0, size % (1 << 20) == 0, size <= 256 << 20 else {
            throw options.badValue("log_size", "whole MiB from 1M to 256M", .vhdx)
        }
        logSize = size
    }

    private static func sectors(_ options: ImageCreateOptions, _ key: String) throws(StorageError) -> UInt32?
    {
        guard let size = try options.byteCount(key, format: .vhdx) else { return nil }
        guard size == 512 || size == 4096 else { throw options.badValue(key, "512 or 4096", .vhdx) }
        return UInt32(size)
    }
}
