package import Codecs
package import Storage

/// Where files are added to an initramfs. In one file that is a place in it; where a loader takes several files, the
/// order in which it loads them.
package enum OverlayPlacement: Sendable, Equatable {
    /// Behind it, after this many zeros. What is added replaces what is there.
    case behind(padding: Int)
    /// Before it, uncompressed. What is there replaces what is added.
    case before
}

extension InitramfsContents {
    /// Where files can be added to this image.
    ///
    /// Linux goes on behind each member at the next byte that is not zero; an archive has to begin at a multiple of four.
    /// So it is behind the image, padded to that, whatever the members before are compressed with (none, gzip, bzip2, xz,
    /// lzma, lzo, zstd: each tells where it ends). Only LZ4's legacy frames do not: Linux takes what follows for the length
    /// of another block, says "Decoding failed" and boots without the files. Their only place is before the image;
    /// uncompressed, so that microcode behind them is still found, which Linux looks for in the archives in front.
    ///
    /// Where something behind whole archives is none that Linux unpacks, it is before the image too: what Linux would reach
    /// behind it is nothing.
    ///
    /// Throws `refused`, code "no-place", for an image that is a file system, or one with an archive that Linux does not
    /// unpack whole.
    package func overlayPlacement() throws(StorageError) -> OverlayPlacement {
        if let fileSystem {
            throw .initramfs(
                .refused, .noPlace,
                "the image is a file system (\(fileSystem.rawValue)): no archive can be added")
        }
        if let failure {
            guard isCutOff && !isBehindSystem || members.isEmpty else { return .before }
            throw .initramfs(
                .refused, .noPlace, "Linux does not unpack all of the image: \(failure.message)",
                offset: failure.offset, cause: failure)
        }
        let marksEnd = try members.last?.codec.map { (id) throws(StorageError) in try Codec.named(id).marksEnd
        }
        if marksEnd == false { return .before }
        return .behind(padding: Int((4 - byteCount % 4) % 4))
    }

    /// `path` with the links of this image resolved as far as there are any: where a file of that name would lie.
    package func placeOfNewFile(_ path: [UInt8]) -> [UInt8] {
        var known = path
        var rest: [ArraySlice<UInt8>] = []
        while !known.isEmpty {
            if let place = tree.resolve(known, followsLast: !rest.isEmpty),
                tree.nodes[place] != nil || rest.isEmpty
            {
                return rest.reversed().reduce(place) { EntryName.join($0, $1) }
            }
            let (parent, name) = EntryName.split(known)
            rest.append(name)
            known = parent
        }
        return rest.reversed().reduce([]) { EntryName.join($0, $1) }
    }

    /// Throws `refused`, code "bad-overlay", where Linux would not make of image and overlay what is meant: a directory
    /// of the overlay is a link in the image (each would make an end of the other), a file is in the place of a directory,
    /// or, before the image, a file that the image has too.
    package func check(_ overlay: InitramfsOverlay, at placement: OverlayPlacement) throws(StorageError) {
        for (path, node) in overlay.nodes.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            guard let old = tree.nodes[path] else {
                let place = placeOfNewFile(path)
                guard place == path else {
                    throw conflict(path, "lies at \(place.shellText) in the image, through a link")
                }
                continue
            }
            let isDirectory = old.type == .directory
            guard isDirectory == (node == .directory) else {
                throw conflict(path, "is a \(old.type.words) in the image")
            }
            guard isDirectory || placement != .before else {
                throw conflict(path, "is in the image too, which replaces what comes before it")
            }
        }
    }

    private func conflict(_ path: [UInt8], _ what: String) -> StorageError {
        .initramfs(.refused, .badOverlay, "\(path.shellText) is to be added and \(what)")
    }
}

extension InitramfsOverlay {
    /// The bytes to be written for `placement`: those behind an image compressed by `codec`, with the zeros that belong
    /// before them; those before one as they are. Two images put together so are read as one.
    package func bytes(for placement: OverlayPlacement, codec: Codec? = nil) throws(StorageError) -> [UInt8] {
        let archive = try archive()
        switch placement {
        case .before: return archive
        case .behind(let padding):
            let zeros = [UInt8](repeating: 0, count: padding)
            guard let codec else { return zeros + archive }
            guard codec.marksEnd else {
                throw .initramfs(
                    .misuse, .badOverlay, "what is compressed by \(codec.id) does not tell where it ends")
            }
            return try zeros + codec.encode(archive.span8)
        }
    }
}
