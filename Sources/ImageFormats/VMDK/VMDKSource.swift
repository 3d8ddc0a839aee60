internal import Storage

/// What a VMDK file is at first sight.
enum VMDKSource {
    /// A sparse extent, with the descriptor that is embedded in it.
    case sparse(VMDKSparseHeader, VMDKDescriptor?)
    /// An seSparse extent.
    case seSparse(VMDKSESparseHeader)
    /// A descriptor in a file of its own.
    case descriptor(VMDKDescriptor)

    /// The descriptor in the file; nil for an extent without one.
    var descriptor: VMDKDescriptor? {
        switch self {
        case .sparse(_, let descriptor): descriptor
        case .descriptor(let descriptor): descriptor
        case .seSparse: nil
        }
    }

    /// Whether a file that begins with `head` is an extent of some kind.
    static func isExtent(_ head: [UInt8]) -> Bool {
        [VMDKSparseHeader.magic, VMDKSparseHeader.vmfsMagic, VMDKSESparseHeader.magic].contains {
            head.span8.matches($0)
        } || isUnfinished(head)
    }

    /// Reads the header or the text at the start of a file, and nothing else. `isSalvage`: also of a stream that its writer has
    /// not come to the end of.
    static func read(_ file: any ByteFile, isSalvage: Bool = false) throws(StorageError) -> VMDKSource {
        let head = try file.availableBytes(at: 0, count: VMDKSparseHeader.byteSize)
        if isSalvage, isUnfinished(head) {
            let header = try VMDKSparseHeader.read(file, isSalvage: true)
            return .sparse(header, try embeddedDescriptor(in: file, header))
        }
        try requireFinished(head, path: file.path)
        if head.span8.matches(VMDKSparseHeader.vmfsMagic) {
            return .sparse(try VMDKSparseHeader.read(file), nil)
        }
        if head.span8.matches(VMDKSESparseHeader.magic) { return .seSparse(try VMDKSESparseHeader(head)) }
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

    /// VMware writes a stream's header last; until then its magic number is in small letters.
    static func isUnfinished(_ head: [UInt8]) -> Bool {
        head.span8.matches(Array("vmdk".utf8)) && head.span8.matches(VMDKSparseHeader.newlines, at: 73)
    }

    /// Throws for a stream that its writer has not come to the end of.
    static func requireFinished(_ head: [UInt8], path: String) throws(StorageError) {
        guard isUnfinished(head) else { return }
        throw .vmdk(
            .corrupt, .unfinished,
            "was not written to its end: its writer has left the mark of an unfinished file",
            structure: "sparse header", field: "magicNumber", offset: 0, path: path)
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
