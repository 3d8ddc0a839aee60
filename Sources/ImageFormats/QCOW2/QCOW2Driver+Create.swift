internal import Codecs
package import Storage

extension QCOW2Driver {
    /// An image without any guest data: header, refcount table and block, and an L1 table of zeros.
    /// Options as qemu-img's `-o`: cluster_size, compat, refcount_bits; lazy_refcounts and preallocation are off.
    /// The size is rounded up to whole sectors, as qemu reads no others. With a parent: an overlay that names it and its
    /// format, and 0 bytes means the parent's size.
    package static func create(
        _ path: String, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> OpenedImage {
        let choice = try QCOW2CreateOptions(options)
        let backing = try QCOW2Backing(options, path: path)
        let size = try virtualSize(byteCount == 0 ? backing?.disk?.byteCount ?? 0 : byteCount, choice)
        let header = QCOW2Header(choice, virtualSize: size, backing)
        guard header.bytes.count <= 1 << Int(choice.clusterBits) else {
            throw .qcow2(
                .backingName, "the backing file's name does not fit into the first cluster",
                structure: "header")
        }
        let file = try options.files.create(path)
        do throws(StorageError) {
            var tables = QCOW2Tables(file: file, header: header)
            try tables.layOut()
            let map = QCOW2Map(file: file, header: tables.header)
            return OpenedImage(
                disk: Image(map: map, parent: backing?.disk), info: info(of: file, header: tables.header))
        } catch {
            try? options.files.remove(path)
            throw error.inFile(path)
        }
    }

    private static func virtualSize(
        _ byteCount: UInt64, _ choice: QCOW2CreateOptions
    ) throws(StorageError) -> UInt64 {
        // An L1 entry covers 2^(clusterBits - 3) clusters, and an L1 table has 32 MiB at most.
        let limit = (QCOW2Header.l1ByteLimit / 8) << UInt64(2 * choice.clusterBits - 3)
        guard let size = byteCount.roundedUp(to: 512), size <= min(limit, UInt64(Int64.max)) else {
            throw .qcow2(
                .sizeTooLarge,
                "a disk of \(byteCount) bytes does not fit; with clusters of \(1 << choice.clusterBits) bytes "
                    + "\(limit) are possible (cluster_size=2M takes most)")
        }
        return size
    }
}

extension QCOW2Header {
    /// The header of a new image before its L1 table has a place.
    fileprivate init(_ choice: QCOW2CreateOptions, virtualSize: UInt64, _ backing: QCOW2Backing?) {
        version = choice.version
        clusterBits = choice.clusterBits
        self.virtualSize = virtualSize
        l1Count = 0
        l1Offset = 0
        refcountTableOffset = 1 << UInt64(choice.clusterBits)
        refcountTableClusters = 1
        snapshotCount = 0
        snapshotOffset = 0
        cryptMethod = 0
        incompatible = []
        compatible = 0
        autoclear = 0
        refcountOrder = choice.refcountOrder
        headerLength = UInt32(choice.version == 2 ? Self.version2Length : Self.version3Length)
        codec = .deflate
        backingName = backing?.name
        extensions = QCOW2Extensions()
        extensions.backingFormat = backing?.format.map { Array($0.rawValue.utf8) }
    }

    /// The header's bytes with its extensions and the backing file's name; what follows them in its cluster is zeros,
    /// which also ends the extensions of an image without one.
    fileprivate var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(headerLength))
        bytes.replaceSubrange(0..<4, with: Self.magic)
        bytes.storeBig(version, at: Field.version)
        bytes.storeBig(clusterBits, at: Field.clusterBits)
        bytes.storeBig(virtualSize, at: Field.virtualSize)
        bytes.storeBig(l1Count, at: Field.l1Count)
        bytes.storeBig(l1Offset, at: Field.l1Offset)
        bytes.storeBig(refcountTableOffset, at: Field.refcountTableOffset)
        bytes.storeBig(refcountTableClusters, at: Field.refcountTableClusters)
        if version == 3 {
            bytes.storeBig(refcountOrder, at: Field.refcountOrder)
            bytes.storeBig(headerLength, at: Field.headerLength)
        }
        guard let backingName else { return bytes }
        bytes += extensions.bytes
        bytes.storeBig(UInt64(bytes.count), at: Field.backingOffset)
        bytes.storeBig(UInt32(backingName.count), at: Field.backingSize)
        return bytes + backingName
    }
}

extension QCOW2Tables {
    /// Writes a new image's tables. Clusters 0 to 2 are header, refcount table and first refcount block; the L1
    /// table is taken like any cluster, so that a large one brings the refcount blocks that it needs.
    fileprivate mutating func layOut() throws(StorageError) {
        let size = header.clusterSize
        try file.truncate(to: 3 * size)
        var entry = [UInt8](repeating: 0, count: 8)
        entry.storeBig(2 * size, at: 0)
        try file.write(entry, at: header.refcountTableOffset)
        session = QCOW2Session(
            next: 3, metadata: QCOW2MetadataClusters([0, 1, 2]), clusterBits: UInt64(header.clusterBits))
        try setRefcounts(0..<3, to: 1)
        let entries = header.clusterCount.dividedRoundingUp(by: 1 << UInt64(header.l2Bits))
        let clusters = max(1, (entries * 8).dividedRoundingUp(by: size))
        header.l1Offset = try takeClusters(clusters) << UInt64(header.clusterBits)
        header.l1Count = UInt32(entries)
        try writeAll()
        try file.write(header.bytes, at: 0)
    }
}
