internal import Storage

/// What a VMDK file is at first sight.
enum VMDKSource {
    /// A sparse extent, with the descriptor that is embedded in it.
    case sparse(VMDKSparseHeader, VMDKDescriptor?)
    /// A descriptor in a file of its own.
    case descriptor(VMDKDescriptor)

    /// Reads the header or the text at the start of a file, and nothing else.
    static func read(_ file: any ByteFile) throws(StorageError) -> VMDKSource {
        let head = try file.availableBytes(at: 0, count: VMDKSparseHeader.byteSize)
        try checkForeign(head, path: file.path)
        if head.span8.matches(VMDKSparseHeader.magic) {
            let header = try VMDKSparseHeader(head)
            return .sparse(header, try embeddedDescriptor(in: file, header))
        }
        guard file.byteCount > 0, file.byteCount <= UInt64(VMDKDescriptor.byteLimit),
            head.prefix(64).allSatisfy({ $0 != 0 }) || VMDKDescriptor.recognises(head)
        else {
            throw .vmdk(
                .corrupt, VMDKDescriptor.recognises(head) ? .descriptorTooLarge : .notADescriptor,
                VMDKDescriptor.recognises(head)
                    ? "a descriptor of more than 1 MiB is not read"
                    : "is neither a sparse extent nor a descriptor", offset: 0, path: file.path)
        }
        let text = try file.bytes(at: 0, count: Int(file.byteCount))
        return .descriptor(try VMDKDescriptor(text, at: 0))
    }

    /// Extents of other kinds, which must not be taken for these.
    static func checkForeign(_ head: [UInt8], path: String) throws(StorageError) {
        let name: String
        if head.span8.matches(Array("COWD".utf8)) {
            name = "vmfsSparse (COWD)"
        } else if head.span8.matches([0xbe, 0xba, 0xfe, 0xca, 0, 0, 0, 0]) {
            name = "seSparse"
        } else {
            return
        }
        throw .vmdk(
            .unsupported, .extentType,
            "is a \(name) extent of a VMware snapshot, which is not read yet; consolidate the snapshot first",
            offset: 0, path: path)
    }

    private static func embeddedDescriptor(
        in file: any ByteFile, _ header: VMDKSparseHeader
    ) throws(StorageError) -> VMDKDescriptor? {
        guard let range = header.descriptorRange else { return nil }
        guard range.lowerBound >= VMDKSparseHeader.sectorSize, range.upperBound <= file.byteCount else {
            throw .vmdk(
                .corrupt, .descriptorTooLarge, "the embedded descriptor does not lie inside the file",
                structure: "sparse header", field: "descriptorOffset", offset: range.lowerBound,
                path: file.path)
        }
        // At most 1 MiB: the header's check.
        let text = try file.bytes(at: range.lowerBound, count: range.count)
        // Writers of split disks leave room for a descriptor in every extent and fill none.
        guard text.first != 0 else { return nil }
        return try VMDKDescriptor(text, at: range.lowerBound)
    }
}
