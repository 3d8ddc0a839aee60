package import Storage

extension VMDKDriver {
    /// By the name that it stores, or by the identifier where it stores none.
    package static func isChild(_ other: any ByteFile, of file: any ByteFile) -> Bool {
        guard let child = (try? VMDKSource.read(other))?.descriptor,
            let identifier = try? child.parentContentID()
        else { return false }
        let names = child.parentNames
        guard names.isEmpty else {
            let own = HostPath.name(of: file.path).hostBytes
            return names.contains { $0.sibling?.hostBytes == own }
        }
        return (try? VMDKSource.read(file))?.descriptor.map { $0.isIdentified(by: identifier) } ?? false
    }

    /// Opens the parent of a snapshot, known by its CID, with its own parents; nil for a disk that has none.
    static func openParent(
        of descriptor: VMDKDescriptor, in file: any ByteFile, _ options: ImageOpenOptions, chain: ParentChain
    ) throws(StorageError) -> OpenedImage? {
        guard let identifier = try descriptor.parentContentID() else { return nil }
        var search = ParentSearch(layer: "vmdk", child: file, options: options, chain: chain)
        search.identifiers = (
            "the CID \(identifier.hex8)",
            { other in
                (try? VMDKSource.read(other))?.descriptor.flatMap { descriptor in
                    descriptor.range(of: "cid") == nil
                        ? nil : (try? descriptor.contentID()).map { "the CID \($0.hex8)" }
                }
            }
        )
        let parent = try search.find(descriptor.parentNames) {
            (found) throws(StorageError) -> (file: any ByteFile, source: VMDKSource)? in
            // Not a VMDK at all, or an extent of one: not the parent either.
            guard let source = try? VMDKSource.read(found), let other = source.descriptor,
                other.isIdentified(by: identifier)
            else { return nil }
            return (found, source)
        }
        do throws(StorageError) {
            return try open(
                parent.source, in: parent.file, search.below(parent.file),
                chain: try chain.adding(parent.file, layer: "vmdk"))
        } catch {
            throw error.inFile(parent.file.path)
        }
    }
}

extension VMDKDescriptor {
    /// Whether the disk's contents have this identifier. A descriptor without one has none.
    func isIdentified(by identifier: UInt32) -> Bool {
        range(of: "cid") != nil && (try? contentID()) == identifier
    }

    /// The names by which the disk remembers its parent: as stored, and by its encoding.
    var parentNames: [ParentName] {
        guard let range = range(of: "parentfilenamehint"), !range.isEmpty else { return [] }
        let stored = Array(text[range])
        let names = [stored] + (decoded(stored).map { [$0] } ?? [])
        return names.filter { !$0.isEmpty }.map { name in
            let text = String(hostBytes: name)
            let hasDrive = name.count > 2 && name[1] == UInt8(ascii: ":")
            let isAbsolute = hasDrive || [UInt8(ascii: "/"), UInt8(ascii: "\\")].contains(name[0])
            return ParentName(
                kind: isAbsolute ? .absolute : .relative, text: text, source: "parentFileNameHint")
        }
    }
}
