internal import Glibc
package import Storage

extension VHDDriver {
    /// The largest disk that is made: 2040 GiB.
    static let createLimit: UInt64 = 2040 << 30

    package static var createOptions: [ImageCreateOption] {
        [
            ImageCreateOption("subformat", "dynamic (without it) or fixed"),
            ImageCreateOption("force_size", "on or off; sizes are always exact here"),
            ImageCreateOption("block_size", "bytes of a block of a dynamic disk, a power of two; 2M"),
            ImageCreateOption("profile", "azure: fixed, whole MiB, 20 MiB at least"),
        ]
    }

    /// Options: `subformat` (dynamic, fixed), `force_size` (always so here: sizes are exact), `block_size`
    /// (dynamic; 2M), `profile` (azure: fixed, whole MiB). With a parent: a differencing disk, and 0 bytes means
    /// the parent's size.
    package static func create(
        _ path: String, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> OpenedImage {
        let layout = try VHDLayout(options)
        let parent = try options.parent.map { (path) throws(StorageError) in
            try VHDDisk(try options.files.open(path, access: .read))
        }
        let wanted = byteCount == 0 ? parent?.byteCount ?? 0 : byteCount
        guard wanted > 0, let size = wanted.roundedUp(to: layout.unit), size <= createLimit else {
            throw .vhd(
                .refused, .sizeTooLarge,
                "a VHD has 1 byte to 2040 GiB, not \(wanted) bytes; VHDX goes to 64 TiB", path: path)
        }
        guard size >= layout.smallest else {
            throw .vhd(
                .refused, .sizeTooSmall,
                "Azure takes disks of 20 MiB and more, and this one has \(size) bytes", path: path)
        }
        // The caller named the parent; its own parents may lie beside it.
        let below = try parent.map { (parent) throws(StorageError) in
            try open(
                parent,
                ImageOpenOptions(files: options.files, references: ReferencePolicy(allowsSiblings: true)),
                chain: ParentChain(parent.file, above: 1))
        }
        let footer = VHDFooter(
            kind: parent != nil ? .differencing : layout.isFixed ? .fixed : .dynamic, byteCount: size,
            identifier: try UUID16.random(), timestamp: now())
        let file = try options.files.create(path)
        if layout.isFixed {
            try file.truncate(to: size)
            try file.write(footer.bytes, at: size)
            return try open(VHDDisk(file), ImageOpenOptions(files: NoOtherFiles()), chain: ParentChain(file))
        }
        try writeTables(
            to: file, footer, blockSize: layout.blockSize,
            parent: parent.map { (disk) throws(StorageError) in
                (
                    disk,
                    ParentName.relativePath(
                        of: disk.file.path, from: options.finalPath ?? path, in: options.files)
                )
            })

        let disk = try VHDDisk(file)
        guard let header = disk.header else { throw .vhd(.corrupt, .noHeader, "has no header", path: path) }
        let map = VHDDynamicMap(
            file, footer: disk.placement, header: header, byteCount: disk.byteCount, writeRefusal: nil,
            isFresh: true)
        return OpenedImage(disk: Image(map: map, parent: below?.disk), info: try info(of: disk))
    }

    /// Footer copy, header, a table without blocks, the parent's name, footer: all to a multiple of 4 KiB, so
    /// that the first block's data can begin at one too.
    private static func writeTables(
        to file: any ByteFile, _ footer: VHDFooter, blockSize: UInt32,
        parent: (disk: VHDDisk, relativePath: String)?
    ) throws(StorageError) {
        let entries = footer.currentSize.dividedRoundingUp(by: UInt64(blockSize))
        let tableOffset = UInt64(VHDFooter.byteCount + VHDDynamicHeader.byteCount)
        let tableEnd = tableOffset + (entries * 4).dividedRoundingUp(by: 512) * 512
        var end = tableEnd.dividedRoundingUp(by: 4096) * 4096
        var named: VHDDynamicHeader.Parent?
        if let parent {
            let changed = parent.disk.file.modificationTime ?? VHDFooter.epoch
            named = VHDDynamicHeader.Parent(
                identifier: parent.disk.footer.identifier,
                timestamp: UInt32(truncatingIfNeeded: changed - VHDFooter.epoch),
                name: HostPath.name(of: parent.disk.file.path), relativePath: parent.relativePath,
                locatorOffset: end)
            var name = [UInt8](repeating: 0, count: parent.relativePath.utf16.count * 2)
            for (index, unit) in parent.relativePath.utf16.enumerated() {
                name.withMutableBytes { $0.storeLittle(unit, at: index * 2) }
            }
            try file.write(name, at: end)
            end += max(UInt64(name.count).dividedRoundingUp(by: 4096), 1) * 4096
        }
        let header = VHDDynamicHeader(
            tableEntries: UInt32(truncatingIfNeeded: entries), blockSize: blockSize, parent: named)
        try file.write(footer.bytes + header.bytes, at: 0)
        let empty = [UInt8](repeating: 0xff, count: TablePages.pageSize)
        var position = tableOffset
        while position < tableEnd {
            let count = Int(min(tableEnd - position, UInt64(empty.count)))
            try file.write(empty.span8.extracting(0..<count), at: position)
            position += UInt64(count)
        }
        try file.write(footer.bytes, at: end)
    }

    /// Seconds since 2000, as time stamps count.
    private static func now() -> UInt32 {
        UInt32(truncatingIfNeeded: Int64(time(nil)) - VHDFooter.epoch)
    }
}

/// What the options of `create` ask for.
private struct VHDLayout {
    var isFixed = false
    var blockSize: UInt32 = 2 << 20
    /// Sizes are rounded up to this.
    var unit: UInt64 = 512
    /// The smallest disk.
    var smallest: UInt64 = 512

    init(_ options: ImageCreateOptions) throws(StorageError) {
        try options.check(known: VHDDriver.createOptions.map(\.name), format: .vhd)
        _ = try options.flag("force_size", default: true, format: .vhd)
        guard options.sectorSize == 512 else {
            throw .vhd(
                .refused, .badOption,
                "VHD has sectors of 512 bytes and the disk has \(options.sectorSize); VHDX can hold it")
        }
        if let profile = options.value("profile") {
            guard profile == "azure" else { throw options.badValue("profile", "azure", .vhd) }
            (isFixed, unit, smallest) = (true, 1 << 20, 20 << 20)
        }
        switch options.value("subformat") {
        case nil: break
        case "fixed": isFixed = true
        case "dynamic":
            guard unit == 512 else { throw .vhd(.misuse, .badOption, "profile azure needs subformat fixed") }
        default: throw options.badValue("subformat", "dynamic or fixed", .vhd)
        }
        if isFixed, options.parent != nil {
            throw .vhd(.misuse, .badOption, "a disk with a parent cannot be fixed")
        }
        guard let size = try options.byteCount("block_size", format: .vhd) else { return }
        guard let block = UInt32(exactly: size), block.nonzeroBitCount == 1,
            (4096...VHDDynamicHeader.blockSizes.upperBound).contains(block)
        else { throw options.badValue("block_size", "a power of two from 4K to 256M", .vhd) }
        blockSize = block
    }
}
