public import Storage

extension GuestEdit {
    /// Longer contents go in pieces of this size, one transaction or more a piece.
    private static var pieceSize: Int { 8 << 20 }
    /// Where contents cannot be written in ranges they are at most this long.
    private static var onePieceLimit: Int { 256 << 20 }

    /// Replaces a regular file's contents, or makes it. On replacement mode, owner, links and every extended attribute
    /// stay; `options` then change what they name. A new file takes its directory's owner and group and its peers'
    /// SELinux label.
    ///
    /// Contents longer than 8 MiB, and those with holes, are put into a new file of a hidden name, in as many transactions
    /// as it takes, and get the name in the last: it stands for the old or the new contents at any moment. Such a file of
    /// one name is another inode then, without what its inode alone had (chattr's flags, a project's number); in all
    /// other cases the inode stays.
    public func put(
        _ contents: FileContents, at path: GuestPath, _ options: NewFileOptions = NewFileOptions()
    ) throws(StorageError) {
        try naming(path) { () throws(StorageError) in
            let first = try firstPiece(of: contents)
            if let file = try find(path, followLast: true) {
                try replace(file, first, contents, options)
            } else if try find(path, followLast: false) != nil {
                throw error(
                    .refused, .danglingLink,
                    "\(path.shellText) is a symbolic link that leads nowhere; put the file where it points")
            } else {
                let place = try place(of: path)
                try requireSettable(options, on: place.directory.volume)
                let attributes = try attributes(ofNew: .regular, in: place.directory, options, usual: 0o644)
                try make(place, first, contents, attributes)
            }
        }
    }

    private func replace(
        _ file: GuestFile, _ first: [UInt8], _ rest: FileContents, _ options: NewFileOptions
    ) throws(StorageError) {
        guard file.attributes.type == .regular else {
            let isDirectory = file.attributes.type == .directory
            throw error(
                .refused, isDirectory ? .isADirectory : .notARegularFile,
                "\(file.path.shellText) is a \(file.attributes.type.words), not a regular file")
        }
        try requireSettable(options, on: file.volume)
        var key = file.key
        if !goesInPieces(first, rest) {
            try contents(on: file.volume).replaceContents(of: file.id, with: first)
        } else if file.attributes.linkCount > 1, try movesContents(on: file.volume) {
            try replaceByMoving(file, first, rest)
        } else if file.attributes.linkCount > 1, try capabilities(on: file.volume).allows(.ranges) {
            // Without a journal that contents are old or new is the undo record's promise, of one piece and of many.
            try contents(on: file.volume).replaceContents(of: file.id, with: first)
            try fill(file.id, on: file.volume, first, rest)
        } else if !(try goesInParts(on: file.volume)) {
            let all = try onePiece(first, rest) {
                "\(file.path.shellText) lies on \(guest.volumes[file.volume].name), where contents change in one "
                    + "piece, of 256 MiB at most"
            }
            try contents(on: file.volume).replaceContents(of: file.id, with: all)
        } else {
            let place = try place(of: file.path)
            let old = file.attributes
            let attributes = NewFileAttributes(
                permissions: old.permissions, owner: old.owner, group: old.group,
                extendedAttributes: try tree.extendedAttributes(of: file.key))
            key.id = try makeHidden(place, first, rest, attributes)
        }
        if options.permissions != nil || options.owner != nil || options.group != nil || options.time != nil {
            try setKeptAttributes(
                of: key,
                AttributeChange(
                    permissions: options.permissions, owner: options.owner, group: options.group,
                    accessTime: options.time, modificationTime: options.time))
        }
        for attribute in options.extendedAttributes {
            try extendedAttributes(on: key.volume).setExtendedAttribute(
                attribute.name, of: key.id, to: attribute.value)
        }
        try splitIfLarge(file.volume)
    }

    /// Makes a regular file where there is none.
    @discardableResult
    func make(
        _ place: Place, _ first: [UInt8], _ rest: FileContents, _ attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        let directory = place.directory
        let id: FileID
        if !goesInPieces(first, rest) {
            id = try names(on: directory.volume).createFile(
                place.name, in: directory.id, contents: first, attributes: attributes)
        } else if !(try goesInParts(on: directory.volume)) {
            let all = try onePiece(first, rest) {
                "\(place.path.shellText) would lie on \(guest.volumes[directory.volume].name), where files are made "
                    + "in one piece, of 256 MiB at most"
            }
            id = try names(on: directory.volume).createFile(
                place.name, in: directory.id, contents: all, attributes: attributes)
        } else {
            id = try makeHidden(place, first, rest, attributes)
        }
        try splitIfLarge(directory.volume)
        return id
    }

    /// Whether contents that begin with `first` are longer than one piece, or have holes between their pieces.
    func goesInPieces(_ first: [UInt8], _ rest: FileContents) -> Bool {
        first.count >= Self.pieceSize || rest.sparse != nil
    }

    /// The first piece of contents, for `make`; none of those with holes, which are taken by their places.
    func firstPiece(of contents: FileContents) throws(StorageError) -> [UInt8] {
        contents.sparse == nil ? try contents.read(Self.pieceSize) : []
    }

    /// Whether a file can be made piece by piece.
    private func goesInParts(on volume: Int) throws(StorageError) -> Bool {
        let capabilities = try capabilities(on: volume)
        guard capabilities.allows(.names) else { return false }
        if capabilities.allows(.ranges) { return true }
        return try transaction(on: volume) is any AppendingTransaction
    }

    /// All that is left of contents, where they cannot go in pieces.
    private func onePiece(
        _ first: [UInt8], _ rest: FileContents, tooLong message: () -> String
    ) throws(StorageError) -> [UInt8] {
        let all = first + (try rest.read(Self.onePieceLimit - first.count + 1))
        guard all.count <= Self.onePieceLimit else { throw error(.refused, .tooLong, message()) }
        return all
    }

    /// Makes a file piece by piece under a hidden name, which becomes `place`'s in the last transaction. Returns its key
    /// under that name.
    private func makeHidden(
        _ place: Place, _ first: [UInt8], _ rest: FileContents, _ attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        let directory = place.directory
        let hidden = try hiddenName()
        _ = try fill(hidden, in: directory, first, rest, attributes)
        return try names(on: directory.volume).rename(
            hidden, in: directory.id, to: place.name, in: directory.id)
    }

    private func hiddenName() throws(StorageError) -> [UInt8] {
        Array(".diskgraft-\(try SystemRandom.bytes(8).hexString)".utf8)
    }

    /// Whether a file can be given the blocks of another.
    private func movesContents(on volume: Int) throws(StorageError) -> Bool {
        guard try capabilities(on: volume).allows([.names, .ranges, .contents]) else { return false }
        return (try transaction(on: volume) as? any MovingTransaction)?.canMoveContents == true
    }

    /// Makes the contents under a hidden name and hands them, in the last transaction, to the file, which keeps its names.
    private func replaceByMoving(
        _ file: GuestFile, _ first: [UInt8], _ rest: FileContents
    ) throws(StorageError) {
        let directory = try place(of: file.path).directory
        let hidden = try hiddenName()
        let attributes = NewFileAttributes(
            permissions: 0o600, owner: file.attributes.owner, group: file.attributes.group)
        let id = try fill(hidden, in: directory, first, rest, attributes)
        guard let transaction = try transaction(on: file.volume) as? any MovingTransaction else {
            throw error(
                .unsupported, .changeNotSupported,
                "contents cannot be moved on \(guest.volumes[file.volume].name)")
        }
        try transaction.moveContents(of: id, to: file.id)
        try names(on: file.volume).remove(hidden, in: directory.id)
    }

    /// Makes a file piece by piece.
    private func fill(
        _ hidden: [UInt8], in directory: GuestFile, _ first: [UInt8], _ rest: FileContents,
        _ attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        let id = try names(on: directory.volume).createFile(
            hidden, in: directory.id, contents: first, attributes: attributes)
        try fill(id, on: directory.volume, first, rest)
        if let time = attributes.time {
            try setKeptAttributes(
                of: FileKey(volume: directory.volume, id: id),
                AttributeChange(accessTime: time, modificationTime: time))
        }
        return id
    }

    /// Writes what follows the first piece.
    private func fill(
        _ id: FileID, on volume: Int, _ first: [UInt8], _ rest: FileContents
    ) throws(StorageError) {
        guard try capabilities(on: volume).allows(.ranges) else {
            return try append(to: id, on: volume, rest)
        }
        if let sparse = rest.sparse { return try fill(id, on: volume, sparse) }
        try fill(id, on: volume, at: UInt64(first.count), rest)
    }

    /// Adds the pieces at the end, holes as zeros.
    private func append(to id: FileID, on volume: Int, _ rest: FileContents) throws(StorageError) {
        while true {
            try splitIfLarge(volume)
            let piece = try rest.read(Self.pieceSize)
            if piece.isEmpty { return }
            guard let transaction = try transaction(on: volume) as? any AppendingTransaction else {
                throw error(
                    .unsupported, .changeNotSupported,
                    "files on \(guest.volumes[volume].name) cannot be made in pieces")
            }
            try transaction.append(piece, to: id)
        }
    }

    private func fill(
        _ id: FileID, on volume: Int, at start: UInt64, _ rest: FileContents
    ) throws(StorageError) {
        var size = start
        while true {
            try splitIfLarge(volume)
            let piece = try rest.read(Self.pieceSize)
            if piece.isEmpty { return }
            try ranges(on: volume).write(piece, to: id, at: size)
            size += UInt64(piece.count)
        }
    }

    /// Only data is written: what a file is extended by is a hole.
    private func fill(
        _ id: FileID, on volume: Int, _ sparse: FileContents.Sparse
    ) throws(StorageError) {
        var pieces: [FilePiece] = []
        var size = 0
        var runs = SparseRuns()
        while let (offset, bytes) = try sparse.next(Self.pieceSize) {
            guard runs.add(offset..<offset + UInt64(bytes.count)) else {
                throw error(
                    .refused, .changeNotSupported,
                    "the file has more than \(TarSparseMap.runLimit) pieces between holes; so many are not written"
                )
            }
            pieces.append(FilePiece(offset: offset, bytes: bytes))
            // However small a piece is, it takes a block.
            size += max(bytes.count, 4096)
            guard size >= Self.pieceSize else { continue }
            try ranges(on: volume).write(pieces, to: id)
            pieces = []
            size = 0
            try splitIfLarge(volume)
        }
        try ranges(on: volume).write(pieces, to: id)
        try ranges(on: volume).truncate(id, to: sparse.byteCount)
        try splitIfLarge(volume)
    }
}
