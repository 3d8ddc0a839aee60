internal import Storage

extension QCOW2Driver {
    /// Opens the file that an overlay names, with what is behind it.
    ///
    /// Nothing in a backing file says that it is the right one, so only the name counts: a file in the overlay's
    /// own directory, or the one that the caller states. Where the overlay does not say the format, it is probed;
    /// but a guest that writes to a raw disk decides what probing finds there, so a probed file opens no other.
    static func openBacking(
        _ name: [UInt8], of file: any ByteFile, _ header: QCOW2Header, _ options: ImageOpenOptions,
        chain: ParentChain
    ) throws(StorageError) -> OpenedImage {
        let search = ParentSearch(layer: "qcow2", child: file, options: options, chain: chain)
        let backing = try search.find([parentName(name, of: file, options.files)]) {
            (found) throws(StorageError) in found
        }
        var below = options
        below.access = .read
        below.references.parent = nil
        let format: ImageFormat
        if let stored = header.extensions.backingFormat {
            guard let known = ImageFormat(name: String(decoding: stored, as: UTF8.self)) else {
                throw .qcow2(
                    .backingFormat, "the backing file's format \"\(stored.displayText)\" is not built",
                    structure: "header extension")
            }
            format = known
        } else {
            format = try ImageProbe.format(of: backing)
            below.references = .refuse
        }
        let longer = try chain.adding(backing, layer: "qcow2")
        do throws(StorageError) {
            guard format != .qcow2 else { return try open(backing, below, chain: longer) }
            return try ImageProbe.driver(for: format).open(backing, options: below)
        } catch {
            throw error.inFile(backing.path)
        }
    }

    /// A path into the overlay's own directory counts as the plain name.
    private static func parentName(_ name: [UInt8], of file: any ByteFile, _ files: any ByteFileStore)
        -> ParentName
    {
        let text = String(hostBytes: name)
        let here = files.absolutePath(HostPath.directory(of: file.path))
        let isHere =
            name.first == UInt8(ascii: "/")
            && HostPath.directory(of: text).hostBytes == here.hostBytes
        return ParentName(
            kind: .relative, text: isHere ? HostPath.name(of: text) : text, source: "backing file")
    }
}
