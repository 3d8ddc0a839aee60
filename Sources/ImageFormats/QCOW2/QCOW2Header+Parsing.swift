internal import Codecs
internal import Storage

extension QCOW2Header {
    /// Reads and checks the header and its extensions: the first cluster and nothing else.
    init(reading file: any ByteFile) throws(StorageError) {
        let fixed = try file.availableBytes(at: 0, count: Self.version3Length + 8)
        guard fixed.count >= Self.version2Length else {
            throw .qcow2(.truncatedHeader, "the file ends within the header", structure: "header", offset: 0)
        }
        guard fixed.span8.matches(Self.magic) else {
            throw .qcow2(.badMagic, "does not begin with the qcow2 magic number", offset: 0)
        }
        version = fixed.big(Field.version)
        guard version == 2 || version == 3 else {
            throw Self.bad(.version, "version \(version) is not known; 2 and 3 are", "version", Field.version)
        }
        clusterBits = fixed.big(Field.clusterBits)
        guard (9...21).contains(clusterBits) else {
            throw Self.bad(
                .clusterSize, "clusters of 2^\(clusterBits) bytes; 2^9 to 2^21 are possible", "cluster_bits",
                Field.clusterBits)
        }
        virtualSize = fixed.big(Field.virtualSize)
        cryptMethod = fixed.big(Field.cryptMethod)
        l1Count = fixed.big(Field.l1Count)
        l1Offset = fixed.big(Field.l1Offset)
        refcountTableOffset = fixed.big(Field.refcountTableOffset)
        refcountTableClusters = fixed.big(Field.refcountTableClusters)
        snapshotCount = fixed.big(Field.snapshotCount)
        snapshotOffset = fixed.big(Field.snapshotOffset)
        incompatible = []
        compatible = 0
        autoclear = 0
        refcountOrder = 4
        headerLength = UInt32(Self.version2Length)
        var compressionType: UInt8 = 0
        if version == 3 {
            guard fixed.count >= Self.version3Length else {
                throw .qcow2(
                    .truncatedHeader, "the file ends within the header", structure: "header", offset: 0)
            }
            incompatible = Incompatible(rawValue: fixed.big(Field.incompatible))
            compatible = fixed.big(Field.compatible)
            autoclear = fixed.big(Field.autoclear)
            refcountOrder = fixed.big(Field.refcountOrder)
            headerLength = fixed.big(Field.headerLength)
            guard headerLength >= UInt32(Self.version3Length), headerLength <= UInt32(1) << clusterBits else {
                throw Self.bad(
                    .headerLength, "a header of \(headerLength) bytes; 104 to one cluster are possible",
                    "header_length", Field.headerLength)
            }
            if headerLength > UInt32(Field.compressionType), fixed.count > Field.compressionType {
                compressionType = fixed.span8.byte(Field.compressionType)
            }
        }
        codec = compressionType == 1 ? .zstd : .deflate

        let cluster = try file.availableBytes(at: 0, count: 1 << Int(clusterBits))
        let backingOffset: UInt64 = fixed.big(Field.backingOffset)
        backingName = try Self.backingName(
            in: cluster, at: backingOffset, count: fixed.big(Field.backingSize), clusterBits: clusterBits)
        let extensionsEnd = backingName == nil ? cluster.count : min(Int(backingOffset), cluster.count)
        extensions = try QCOW2Extensions(
            parsing: cluster, from: Int(headerLength), to: extensionsEnd)

        let unknown = incompatible.subtracting(.known)
        guard unknown.isEmpty else {
            throw Self.bad(
                .unknownFeature, "uses what is not known here: \(extensions.names(of: unknown))",
                "incompatible_features", Field.incompatible)
        }
        guard compressionType <= 1, incompatible.contains(.compressionType) == (compressionType != 0) else {
            throw Self.bad(
                .compressionType,
                "compression type \(compressionType) and its feature bit do not go together",
                "compression_type", Field.compressionType)
        }
        try checkLimits()
    }

    private func checkLimits() throws(StorageError) {
        guard refcountOrder <= 6 else {
            throw Self.bad(
                .refcountOrder, "refcounts of 2^\(refcountOrder) bits; 2^0 to 2^6 are possible",
                "refcount_order", Field.refcountOrder)
        }
        guard cryptMethod <= 2 else {
            throw Self.bad(
                .encryptionMethod, "encryption method \(cryptMethod) is not known", "crypt_method",
                Field.cryptMethod)
        }
        guard !incompatible.contains(.extendedL2) || clusterBits >= 14 else {
            throw Self.bad(
                .clusterSize, "extended L2 entries need clusters of 16 KiB or more", "cluster_bits",
                Field.clusterBits)
        }
        guard virtualSize <= UInt64(Int64.max) else {
            throw Self.bad(
                .virtualSize, "a disk of \(virtualSize) bytes is larger than any can be", "size",
                Field.virtualSize)
        }
        guard UInt64(l1Count) * 8 <= Self.l1ByteLimit else {
            throw Self.bad(
                .l1TooLarge, "an L1 table of \(l1Count) entries; 32 MiB of them are possible", "l1_size",
                Field.l1Count)
        }
        // 2^(21 + 18) at most, so that the shift is defined.
        let needed = clusterCount.dividedRoundingUp(by: 1 << UInt64(l2Bits))
        guard UInt64(l1Count) >= needed else {
            throw Self.bad(
                .l1TooSmall, "the L1 table has \(l1Count) entries and the disk's size needs \(needed)",
                "l1_size", Field.l1Count)
        }
        guard isTableOffset(l1Offset) || l1Count == 0 else {
            throw Self.bad(
                .l1Offset, "the L1 table's offset \(l1Offset.hex) is not a cluster's", "l1_table_offset",
                Field.l1Offset)
        }
        guard UInt64(refcountTableClusters) <= Self.refcountTableByteLimit >> UInt64(clusterBits) else {
            throw Self.bad(
                .refcountTableTooLarge,
                "a refcount table of \(refcountTableClusters) clusters; 8 MiB are possible",
                "refcount_table_clusters", Field.refcountTableClusters)
        }
        guard isTableOffset(refcountTableOffset) || refcountTableClusters == 0 else {
            throw Self.bad(
                .refcountTableOffset,
                "the refcount table's offset \(refcountTableOffset.hex) is not a cluster's",
                "refcount_table_offset", Field.refcountTableOffset)
        }
        guard snapshotCount == 0 || (snapshotCount <= Self.snapshotLimit && isTableOffset(snapshotOffset))
        else {
            throw Self.bad(
                .snapshotTable, "\(snapshotCount) snapshots at \(snapshotOffset.hex) cannot be",
                "snapshots_offset", Field.snapshotOffset)
        }
    }

    /// Whether a table may begin here: at a cluster, not the header's, and where sums cannot overflow.
    func isTableOffset(_ offset: UInt64) -> Bool {
        offset != 0 && offset % clusterSize == 0 && offset <= 1 << 56
    }

    private static func backingName(
        in cluster: [UInt8], at offset: UInt64, count: UInt32, clusterBits: UInt32
    ) throws(StorageError) -> [UInt8]? {
        guard offset != 0 else { return nil }
        guard count > 0, count <= 1023, let start = Int(exactly: offset), start >= version2Length,
            start <= cluster.count, Int(count) <= cluster.count - start
        else {
            throw bad(
                .backingName, "the backing file's name does not lie in the first cluster",
                "backing_file_offset", Field.backingOffset)
        }
        return Array(cluster[start..<start + Int(count)])
    }

    private static func bad(
        _ code: QCOW2Code, _ message: String, _ field: String, _ offset: Int
    ) -> StorageError {
        .qcow2(code, message, structure: "header", field: field, offset: UInt64(offset))
    }
}
