internal import Storage

extension VDIHeader {
    /// Throws for what contradicts the format, or the file, and for what is not built.
    func check(fileSize: UInt64) throws(StorageError) {
        func bad(
            _ code: VDICode, _ field: String, _ offset: Int, _ message: String,
            _ kind: StorageError.Kind = .corrupt
        ) -> StorageError {
            .vdi(kind, code, message, structure: "header", field: field, offset: UInt64(offset))
        }
        guard bytes.little(Field.signature, as: UInt32.self) == Self.signature else {
            throw bad(.badSignature, "signature", Field.signature, "has no VDI signature")
        }
        let version: UInt32 = bytes.little(Field.version)
        guard version >> 16 == 1 else {
            throw bad(
                .unknownVersion, "version", Field.version,
                "is of version \(version >> 16).\(version & 0xffff); version 1.1 is read", .unsupported)
        }
        let size: UInt32 = bytes.little(Field.headerSize)
        guard size >= Self.sizes.lowerBound else {
            throw bad(.headerSize, "size", Field.headerSize, "a header of \(size) bytes is too short")
        }
        guard kind != nil else {
            throw bad(
                .unknownType, "type", Field.type,
                "is of type \(bytes.little(Field.type, as: UInt32.self)), which means nothing", .unsupported)
        }
        let sectorSize: UInt32 = bytes.little(Field.sectorSize)
        guard sectorSize == 512 else {
            throw bad(
                .sectorSize, "sector size", Field.sectorSize,
                "has sectors of \(sectorSize) bytes; a VDI's have 512", .unsupported)
        }
        guard Self.blockSizes.contains(blockSize), blockSize.nonzeroBitCount == 1, blockExtra <= blockSize,
            blockExtra % 512 == 0
        else {
            throw bad(
                .blockSize, "block size", Field.blockSize,
                "blocks of \(blockSize) bytes with \(blockExtra) in front are not what any writer makes")
        }
        // A whole number of sectors, as every reader takes it.
        guard diskSize > 0, diskSize % 512 == 0 else {
            throw bad(
                .diskSize, "disk size", Field.diskSize, "a disk of \(diskSize) bytes is no number of sectors")
        }
        guard blockCount <= Self.blockLimit, diskSize <= UInt64(blockCount) * UInt64(blockSize) else {
            throw bad(
                .blockCount, "blocks", Field.blockCount,
                "\(blockCount) blocks of \(blockSize) bytes do not make a disk of \(diskSize)")
        }
        guard mapOffset >= UInt64(Field.headerSize) + UInt64(size), mapEnd <= fileSize else {
            throw bad(
                .mapPlace, "block map offset", Field.mapOffset,
                "the block map at \(mapOffset.hex) lies on the header or ends past the file's end; is it truncated?"
            )
        }
        guard dataOffset >= mapEnd, dataOffset % 512 == 0 else {
            throw bad(
                .dataPlace, "data offset", Field.dataOffset,
                "the data at \(dataOffset.hex) lies on the block map, which ends at \(mapEnd.hex)")
        }
    }
}
