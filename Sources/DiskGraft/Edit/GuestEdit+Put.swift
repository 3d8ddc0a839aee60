internal import Patcher
public import Storage

extension GuestEdit {
    /// Longer contents go in pieces of this size, one transaction or more a piece.
    private static var pieceSize: Int { 8 << 20 }
    /// Files with several names are replaced in one piece, at most this long.
    private static var onePieceLimit: Int { 256 << 20 }

    /// Replaces a regular file's contents, or makes it. On replacement inode, mode, owner, links and every extended
    /// attribute stay; `options` then change what they name. A new file takes its directory's owner and group and
    /// its peers' SELinux label.
    ///
    /// Contents longer than 8 MiB are put into a new file of a hidden name, in as many transactions as it takes, and
    /// get the name in the last: it stands for the old or the new contents at any moment.
    public func put(
        _ contents: FileContents, at path: [UInt8], _ options: NewFileOptions = NewFileOptions()
    ) throws(StorageError) {
        try naming(path) { () throws(StorageError) in
            let first = try contents.read(Self.pieceSize)
            if let file = try find(path, followLast: true) {
                try replace(file, first, contents, options)
            } else if try find(path, followLast: false) != nil {
                throw error(
                    .refused, "dangling-link",
                    "\(path.displayText) is a symbolic link that leads nowhere; put the file where it points")
            } else {
                let place = try place(of: path)
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
                .refused, isDirectory ? "is-a-directory" : "not-a-regular-file",
                "\(file.path.displayText) is a \(file.attributes.type.rawValue), not a regular file")
        }
        var id = file.id
        if first.count < Self.pieceSize {
            try transaction(on: file.volume).replaceContents(of: id, with: first)
        } else if file.attributes.linkCount > 1 {
            let all = first + (try rest.read(Self.onePieceLimit - first.count + 1))
            guard all.count <= Self.onePieceLimit else {
                throw error(
                    .refused, "too-long",
                    "\(file.path.displayText) has several names, so its contents change in one piece, of 256 MiB "
                        + "at most; remove the other names first")
            }
            try transaction(on: file.volume).replaceContents(of: id, with: all)
        } else {
            let place = try place(of: file.path)
            let old = file.attributes
            let attributes = NewFileAttributes(
                permissions: old.permissions, owner: old.owner, group: old.group,
                extendedAttributes: try tree.extendedAttributes(of: file.key))
            id = try makeHidden(in: place.directory, first, rest, attributes) {
                (transaction, hidden) throws(StorageError) in
                try transaction.rename(
                    hidden, in: place.directory.id, to: place.name, in: place.directory.id)
            }
        }
        let transaction = try transaction(on: file.volume)
        if options.permissions != nil || options.owner != nil || options.group != nil || options.time != nil {
            try transaction.setAttributes(
                of: id,
                AttributeChange(
                    permissions: options.permissions, owner: options.owner, group: options.group,
                    accessTime: options.time, modificationTime: options.time))
        }
        for attribute in options.extendedAttributes {
            try transaction.setExtendedAttribute(attribute.name, of: id, to: attribute.value)
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
        if first.count < Self.pieceSize {
            id = try transaction(on: directory.volume).createFile(
                place.name, in: directory.id, contents: first, attributes: attributes)
        } else {
            id = try makeHidden(in: directory, first, rest, attributes) {
                (transaction, hidden) throws(StorageError) in
                try transaction.rename(hidden, in: directory.id, to: place.name, in: directory.id)
            }
        }
        try splitIfLarge(directory.volume)
        return id
    }

    /// Whether contents that begin with `first` are longer than one piece.
    func goesInPieces(_ first: [UInt8]) -> Bool { first.count >= Self.pieceSize }

    /// The first piece of contents, for `make`.
    func firstPiece(of contents: FileContents) throws(StorageError) -> [UInt8] {
        try contents.read(Self.pieceSize)
    }

    private func makeHidden(
        in directory: GuestFile, _ first: [UInt8], _ rest: FileContents, _ attributes: NewFileAttributes,
        then finish: (any FileSystemTransaction, [UInt8]) throws(StorageError) -> Void
    ) throws(StorageError) -> FileID {
        let hidden = Array(".diskgraft-\(try SystemRandom.bytes(8).hexString)".utf8)
        let id = try transaction(on: directory.volume).createFile(
            hidden, in: directory.id, contents: first, attributes: attributes)
        var size = UInt64(first.count)
        while true {
            try splitIfLarge(directory.volume)
            let piece = try rest.read(Self.pieceSize)
            if piece.isEmpty { break }
            try transaction(on: directory.volume).write(piece, to: id, at: size)
            size += UInt64(piece.count)
        }
        let transaction = try transaction(on: directory.volume)
        if let time = attributes.time {
            try transaction.setAttributes(of: id, AttributeChange(accessTime: time, modificationTime: time))
        }
        try finish(transaction, hidden)
        return id
    }
}
