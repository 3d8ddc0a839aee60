internal import Storage

/// A format whose images name the file behind them, which any format may be.
protocol BackedDriver: ImageDriver {
    /// Opens an image that stands in a chain of others.
    static func open(
        _ file: any ByteFile, _ options: ImageOpenOptions, chain: ParentChain
    ) throws(StorageError) -> OpenedImage
}

extension BackedDriver {
    /// An overlay is opened with its backing files, as far as `options.references` allows; they are only read.
    package static func open(
        _ file: any ByteFile, options: ImageOpenOptions
    ) throws(StorageError) -> OpenedImage {
        try open(file, options, chain: ParentChain(file))
    }
}

/// A backing file as an overlay names it: qcow, qcow2, QED.
///
/// Nothing in a backing file says that it is the right one, so only the name counts: a file in the overlay's
/// own directory, or one of that name that the caller states. Where the overlay does not say the format, it is probed;
/// but a guest that writes to a raw disk decides what probing finds there, so a probed file opens no other but
/// those that the caller names.
struct NamedBacking {
    /// The overlay's format.
    let layer: String
    /// The name as stored.
    let name: [UInt8]
    /// The format that the overlay says it has; nil where it does not say.
    let format: ImageFormat?

    /// Opens it, with what is behind it.
    func open(
        of file: any ByteFile, _ options: ImageOpenOptions, chain: ParentChain
    ) throws(StorageError) -> OpenedImage {
        let search = ParentSearch(
            layer: layer, child: file, options: options, chain: chain, knowledge: .name)
        let backing = try search.find([Self.parentName(name, of: file, options.files)]) {
            (found) throws(StorageError) -> (any ByteFile)? in
            Self.isNamed(name, found, by: file, options.files) ? found : nil
        }
        var below = search.below(backing)
        // What the caller names is the caller's word.
        if format == nil {
            below.references = ReferencePolicy(allowsSiblings: false, parents: below.references.parents)
        }
        let longer = try chain.adding(backing, layer: layer)
        do throws(StorageError) {
            let known = if let format { format } else { try ImageProbe.format(of: backing) }
            let driver = try ImageProbe.driver(for: known)
            guard let driver = driver as? any BackedDriver.Type else {
                return try driver.open(backing, options: below)
            }
            return try driver.open(backing, below, chain: longer)
        } catch {
            throw error.inFile(backing.path)
        }
    }

    /// Whether `found` is what `name` says: the same last part of the path, or the file at the stored place. A name that
    /// is no path of a file ("json:…" without one) says nothing, and what the caller states is believed.
    private static func isNamed(
        _ name: [UInt8], _ found: any ByteFile, by file: any ByteFile, _ files: any ByteFileStore
    ) -> Bool {
        guard let path = plainPath(name) else { return true }
        let own = HostPath.name(of: found.path).hostBytes
        if HostPath.name(of: path).hostBytes == own { return true }
        let place =
            path.utf8.first == UInt8(ascii: "/") ? path : "\(HostPath.directory(of: file.path))/\(path)"
        return files.identity(of: place).map { $0 == found.identity } ?? false
    }

    /// The path in a stored name: as it is, behind "file:", or the file name of a "json:" object.
    private static func plainPath(_ name: [UInt8]) -> String? {
        let text = String(hostBytes: name)
        if text.utf8.starts(with: "file:".utf8) { return String(text.dropFirst(5)) }
        guard text.utf8.starts(with: "json:".utf8) else { return text }
        let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
        guard let key = parts.firstIndex(where: { $0 == "filename" || $0 == "file.filename" }),
            parts.indices.contains(key + 2)
        else { return nil }
        return String(parts[key + 2])
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
