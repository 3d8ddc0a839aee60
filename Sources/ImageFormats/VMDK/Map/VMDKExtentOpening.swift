internal import Storage

/// Opens the files of a descriptor, each once.
struct VMDKExtentOpening {
    private let descriptor: VMDKDescriptor
    private let options: ImageOpenOptions
    private(set) var files: [any ByteFile]
    private(set) var warnings: [String] = []
    private(set) var grainSizes: [UInt64] = []
    private var indices: [[UInt8]: Int] = [:]
    /// Bytes of tables that may still be read.
    private var tableBudget = VMDKSparseExtent.eagerLimit

    /// Begins with the descriptor's own file.
    init(_ descriptor: VMDKDescriptor, in file: any ByteFile, options: ImageOpenOptions) {
        self.descriptor = descriptor
        self.options = options
        files = [file]
    }

    /// Where an extent's bytes are.
    mutating func backing(of line: VMDKExtentLine) throws(StorageError) -> VMDKMap.Backing {
        if line.kind == .zero { return .zero }
        // Nobody may read it, so there is no need to open it either.
        if line.access == .none { return .zero }
        let index = try open(line.name)
        let file = files[index]
        guard !line.kind.isSparse else {
            do throws(StorageError) {
                return try sparse(file, index, line)
            } catch {
                throw error.inFile(file.path)
            }
        }
        guard let end = line.fileOffset +? line.byteCount, end <= file.byteCount || options.isSalvage else {
            throw .vmdk(
                .corrupt, .extentSize,
                "the file has \(file.byteCount) bytes and the descriptor needs \(line.byteCount) from "
                    + "\(line.fileOffset) on; is it truncated?", path: file.path)
        }
        return .flat(file: index, offset: line.fileOffset)
    }

    private mutating func open(_ name: [UInt8]) throws(StorageError) -> Int {
        if let index = indices[name] { return index }
        let descriptorFile = files[0]
        let directory = HostPath.directory(of: descriptorFile.path)
        let known = try known(name, in: directory)
        let text = String(hostBytes: known)
        if let own = descriptorFile.identity,
            options.files.identity(of: "\(directory)/\(text)") == own
        {
            throw .vmdk(
                .corrupt, .extentName, "the descriptor names itself as an extent", path: descriptorFile.path)
        }
        let file = try options.files.openSibling(
            of: descriptorFile.path, name: text, access: options.access)
        files.append(file)
        indices[name] = files.count - 1
        return files.count - 1
    }

    /// The name by which the host has a file: the stored bytes, or what they say in the descriptor's encoding. Files that were
    /// copied by their names lie under the second one.
    private func known(_ name: [UInt8], in directory: String) throws(StorageError) -> [UInt8] {
        guard name.contains(where: { $0 >= 0x80 }), let encoding = descriptor.encoding,
            !options.files.exists("\(directory)/\(String(hostBytes: name))")
        else { return name }
        switch encoding.decode(name) {
        case .text(let decoded): return decoded
        case .noText: return name
        case .noConverter:
            throw .vmdk(
                .unsupported, .encoding,
                "the names in it are in the encoding \(encoding.name), for which the C library has no converter here; give "
                    + "the extents names in ASCII, in the descriptor too",
                structure: "descriptor", field: "encoding", offset: descriptor.fileOffset, path: files[0].path
            )
        }
    }

    /// An extent of the kind that its own header says. Descriptors call those of ESX SPARSE too.
    private mutating func sparse(
        _ file: any ByteFile, _ index: Int, _ line: VMDKExtentLine
    ) throws(StorageError) -> VMDKMap.Backing {
        let head = try file.availableBytes(at: 0, count: VMDKSparseHeader.byteSize)
        if !options.isSalvage { try VMDKSource.requireFinished(head, path: file.path) }
        if head.span8.matches(VMDKSESparseHeader.magic) {
            let header = try VMDKSESparseHeader(head)
            try requireSize(header.byteCount, VMDKSESparseHeader.grainSize, line, at: 16)
            if options.access == .write, line.access == .readWrite {
                throw VMDKMap.seSparseRefusal(file.path)
            }
            grainSizes.append(VMDKSESparseHeader.grainSize)
            return .seSparse(try VMDKSESparseExtent(file, fileIndex: index, header: header))
        }
        let known = try VMDKSparseHeader.read(file, isSalvage: options.isSalvage)
        if !known.isCompressed { files[index] = options.mapped(file, unit: known.grainSize) }
        let extent = try VMDKSparseExtent.open(files[index], fileIndex: index, header: known, options)
        let header = extent.header
        try requireSize(header.byteCount, header.grainSize, line, at: 12)
        if options.access == .write, line.access == .readWrite { try extent.checkWritable(options) }
        warnings += (extent.warnings + (try extent.tableWarnings(&tableBudget))).map {
            "\(HostPath.name(of: file.path)): \($0)"
        }
        grainSizes.append(header.grainSize)
        return .sparse(extent)
    }

    /// Two readers that believe different sizes would see two disks. Writers may round up to a grain.
    private func requireSize(
        _ byteCount: UInt64, _ grain: UInt64, _ line: VMDKExtentLine, at offset: UInt64
    ) throws(StorageError) {
        guard byteCount == line.byteCount || byteCount == line.byteCount.roundedUp(to: grain) else {
            throw .vmdk(
                .corrupt, .extentSize,
                "the extent holds \(byteCount) bytes and the descriptor says \(line.byteCount)",
                structure: "sparse header", field: "capacity", offset: offset)
        }
    }
}
