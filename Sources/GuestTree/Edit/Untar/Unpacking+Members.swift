internal import Storage

extension Unpacking {
    /// Makes what a member says at its place.
    mutating func unpack(
        _ member: TarReader.Member, at place: GuestEdit.Place
    ) throws(StorageError) {
        let options = try options(of: member)
        if isDirectory(member), try keep(place, options) { return }
        var linked: GuestFile?
        if member.type == UInt8(ascii: "1") {
            linked = try self.target(of: member)
            // What is replaced may lie on the way to it.
            trail.clear()
            if let linked, linked.volume == place.directory.volume,
                try edit.tree.lookUp(place.name, in: place.directory.key) == linked.id
            {
                return
            }
        }
        let volume = place.directory.volume
        /// Makes what the member says; what has the name goes first, which is seldom anything.
        func replacing(_ make: () throws(StorageError) -> Void) throws(StorageError) {
            do throws(StorageError) {
                try make()
            } catch {
                guard edit.saysTaken(error) else { throw error }
                try clear(place)
                try make()
            }
        }
        func new(_ type: FileType) throws(StorageError) -> NewFileAttributes {
            try edit.attributes(ofNew: type, in: place.directory, options, usual: member.permissions)
        }
        switch member.type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"), TarReader.sparseType:
            let attributes = try new(.regular)
            var reader = self.reader
            let read: (Int) throws(StorageError) -> [UInt8] = { (count) throws(StorageError) in
                try reader.read(count)
            }
            let contents =
                if let map = member.holes { FileContents(FileContents.Sparse(map, read)) } else {
                    FileContents(next: read)
                }
            let first = try edit.firstPiece(of: contents)
            if edit.goesInPieces(first, contents) {
                try clear(place)
                try edit.make(place, first, contents, attributes)
            } else {
                try replacing { () throws(StorageError) in
                    try edit.make(place, first, contents, attributes)
                }
            }
            self.reader = reader
        case UInt8(ascii: "1"):
            guard let linked else { return }
            guard linked.volume == volume else {
                throw edit.error(
                    .refused, .crossVolume,
                    "a hard link of the archive would lead to another volume; unpack on one volume by itself",
                    remedies: [.nameVolume])
            }
            try replacing { () throws(StorageError) in
                try edit.links(on: volume).link(linked.id, as: place.name, in: place.directory.id)
            }
        case UInt8(ascii: "2"):
            var attributes = try new(.symbolicLink)
            attributes.permissions = 0o777
            try replacing { () throws(StorageError) in
                let id = try edit.links(on: volume).createSymbolicLink(
                    place.name, in: place.directory.id, target: member.target, attributes: attributes)
                links.insert(FileKey(volume: volume, id: id))
            }
        case UInt8(ascii: "3"), UInt8(ascii: "4"):
            let type: FileType = member.type == UInt8(ascii: "3") ? .characterDevice : .blockDevice
            try replacing { () throws(StorageError) in
                _ = try edit.nodes(on: volume).createNode(
                    place.name, in: place.directory.id, type: type, device: member.device,
                    attributes: try new(type))
            }
        case UInt8(ascii: "6"):
            try replacing { () throws(StorageError) in
                _ = try edit.nodes(on: volume).createNode(
                    place.name, in: place.directory.id, type: .fifo, device: nil, attributes: try new(.fifo))
            }
        case UInt8(ascii: "5"), UInt8(ascii: "D"):
            try replacing { () throws(StorageError) in
                let id = try edit.names(on: volume).createDirectory(
                    place.name, in: place.directory.id, attributes: try new(.directory))
                let key = FileKey(volume: volume, id: id)
                directoryTimes.append((key, member.time))
                try noteMade(key, in: place.directory.key, options)
            }
        default:
            throw StorageError(
                .unsupported, TarCode.memberType,
                "the archive's member is of a type that is not unpacked (\([member.type].displayText))",
                offset: reader.position)
        }
        try edit.splitIfLarge(volume)
    }

    /// Removes what has the name: a file, or an empty directory.
    private mutating func clear(_ place: GuestEdit.Place) throws(StorageError) {
        guard let there = try edit.tree.lookUp(place.name, in: place.directory.key) else { return }
        let key = FileKey(volume: place.directory.volume, id: there)
        let attributes = try edit.tree.attributes(of: key)
        if attributes.type == .directory { try edit.requireNoMount(at: place.path) }
        try edit.names(on: key.volume).remove(place.name, in: place.directory.id)
        // Its number may be another file's next.
        if attributes.linkCount <= 1 { links.remove(key) }
    }
}
