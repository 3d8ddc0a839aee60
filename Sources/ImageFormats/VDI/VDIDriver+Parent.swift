package import Storage

extension VDIDriver {
    /// Files of a directory that are looked at for a parent: more snapshots than this nobody keeps.
    private static let siblingLimit = 1024

    /// By the identifier: a VDI names no file.
    package static func isChild(_ other: any ByteFile, of file: any ByteFile) -> Bool {
        guard let child = try? VDIHeader(reading: other), child.isDifferencing,
            let parent = try? VDIHeader(reading: file)
        else { return false }
        return child.parentIdentifier == parent.identifier
    }

    /// Opens the parent of a differencing disk, known by its two identifiers, with its own parents.
    static func openParent(
        of file: any ByteFile, _ header: VDIHeader, _ options: ImageOpenOptions, chain: ParentChain
    ) throws(StorageError) -> OpenedImage {
        var search = ParentSearch(layer: VDICode.layer, child: file, options: options, chain: chain)
        search.identifiers = (
            "the identifiers \(header.parentIdentifier) and \(header.parentModification)",
            {
                (try? VDIHeader(reading: $0)).map {
                    "the identifiers \($0.identifier) and \($0.modification)"
                }
            }
        )
        let parent = try search.find(try names(of: header, beside: file, options)) {
            (file) throws(StorageError) -> (file: any ByteFile, header: VDIHeader)? in
            guard let found = try? VDIHeader(reading: file),
                found.identifier == header.parentIdentifier,
                header.parentModification.isZero || found.modification == header.parentModification
            else { return nil }
            return (file, found)
        }
        return try open(
            parent.file, parent.header, search.below(parent.file),
            chain: try chain.adding(parent.file, layer: VDICode.layer))
    }

    /// A VDI names no file: VirtualBox keeps a list of its own. Where siblings may be opened, those that end in .vdi
    /// are asked for their identifiers. VirtualBox names snapshots by theirs.
    private static func names(
        of header: VDIHeader, beside child: any ByteFile, _ options: ImageOpenOptions
    ) throws(StorageError) -> [ParentName] {
        let own = ParentName(
            kind: .relative, text: "{\(header.parentIdentifier)}.vdi", source: "parent identifier")
        guard options.references.allowsSiblings else { return [own] }
        let directory = HostPath.directory(of: child.path)
        let names = options.files.names(in: directory).sorted().filter { $0.lowercased().hasSuffix(".vdi") }
        var found: [ParentName] = []
        var refusal: StorageError?
        for name in names.prefix(siblingLimit) where options.files.isRegularFile("\(directory)/\(name)") {
            let file: any ByteFile
            do throws(StorageError) {
                file = try options.files.openSibling(of: child.path, name: name, access: .read)
            } catch {
                // A half changed one may be it.
                if refusal == nil, error.remedies.contains(.undo) { refusal = error }
                continue
            }
            guard let other = try? VDIHeader(reading: file), other.identifier == header.parentIdentifier
            else { continue }
            found.append(ParentName(kind: .relative, text: name, source: "parent identifier"))
        }
        if found.isEmpty, let refusal { throw refusal }
        return found.isEmpty ? [own] : found
    }
}
