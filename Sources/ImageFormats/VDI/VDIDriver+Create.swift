package import Storage

extension VDIDriver {
    package static var createOptions: [ImageCreateOption] {
        [ImageCreateOption("static", "on or off: room for every block at once")]
    }

    /// The blocks of disks that are made, as all writers make them.
    static let blockSize: UInt32 = 1 << 20
    /// The largest disk that is made: 64 TiB, whose map has 256 MiB.
    static let createLimit: UInt64 = 64 << 40

    /// Options: `static` (every block has a place). With a parent: a differencing disk, and 0 bytes means the parent's
    /// size.
    package static func create(
        _ path: String, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> OpenedImage {
        try options.check(known: createOptions.map(\.name), format: .vdi)
        let isFixed = try options.flag("static", default: false, format: .vdi)
        guard options.sectorSize == 512 else {
            throw .vdi(
                .refused, .badOption,
                "VDI has sectors of 512 bytes and the disk has \(options.sectorSize); VHDX can hold it")
        }
        guard !isFixed || options.parent == nil else {
            throw .vdi(.misuse, .badOption, "a disk with a parent cannot be static")
        }
        let parent = try options.parent.map { (path) throws(StorageError) in
            let file = try options.files.open(path, access: .read)
            return (file: file, header: try VDIHeader(reading: file))
        }
        let wanted = byteCount == 0 ? parent?.header.diskSize ?? 0 : byteCount
        guard wanted > 0, wanted <= createLimit, let size = wanted.roundedUp(to: 512),
            let blockCount = UInt32(exactly: size.dividedRoundingUp(by: UInt64(blockSize)))
        else {
            throw .vdi(
                .refused, .diskSize, "a VDI is made with 1 byte to 64 TiB, not \(wanted) bytes", path: path)
        }
        // The caller named the parent; its own parents may lie beside it.
        let below = try parent.map { (parent) throws(StorageError) in
            try open(
                parent.file, parent.header,
                ImageOpenOptions(files: options.files, references: ReferencePolicy(allowsSiblings: true)),
                chain: ParentChain(parent.file, above: 1))
        }
        let mapOffset = UInt32(VDIHeader.byteCount)
        // At a multiple of the block: blocks can be shared with other files, and the map has room to grow.
        let dataOffset =
            (UInt64(mapOffset) + UInt64(blockCount) * 4)
            .dividedRoundingUp(by: UInt64(blockSize)) * UInt64(blockSize)
        let header = VDIHeader(
            kind: isFixed ? .fixed : parent != nil ? .differencing : .dynamic, diskSize: size,
            blockSize: blockSize, blockCount: blockCount, mapOffset: mapOffset,
            dataOffset: UInt32(truncatingIfNeeded: dataOffset), identifier: try UUID16.random(),
            modification: try UUID16.random(), parent: parent?.header)
        let file = try options.files.create(path)
        try file.truncate(to: dataOffset + (isFixed ? UInt64(blockCount) * UInt64(blockSize) : 0))
        try writeMap(of: header, 0..<blockCount, isFixed: isFixed, to: file)
        try file.write(header.bytes, at: 0)
        return OpenedImage(
            disk: Image(map: VDIMap(file, header: header, isFresh: true), parent: below?.disk),
            info: info(of: file, header))
    }

    /// Writes the entries of blocks that are free, or that lie in the order of the disk.
    static func writeMap(
        of header: VDIHeader, _ blocks: Range<UInt32>, isFixed: Bool, to file: any ByteFile
    ) throws(StorageError) {
        var index = blocks.lowerBound
        while index < blocks.upperBound {
            let count = min(blocks.upperBound - index, UInt32(TablePages.pageSize / 4))
            var bytes = [UInt8](repeating: 0xff, count: Int(count) * 4)
            if isFixed {
                for number in 0..<count { bytes.storeLittle(index + number, at: Int(number) * 4) }
            }
            try file.write(bytes, at: header.mapOffset + UInt64(index) * 4)
            index += count
        }
    }
}
