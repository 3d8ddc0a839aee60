internal import GuestTree
internal import Patcher
public import Storage

extension GuestEdit {
    /// Unpacks a tar archive (ustar, pax, GNU) into a directory of the guest: owners by number, modes, times, links,
    /// devices, extended attributes and ACLs. What is in the way of a file is replaced; directories that are there,
    /// and links that lead to one, stay, and get the owner, mode and times of the archive's, the destination itself those
    /// of its member ".". A file without an SELinux label in the archive takes its peers'.
    ///
    /// A name with ".." in it, and one that leads through a symbolic link from the archive itself, is refused. Large
    /// archives go in several transactions, each of which leaves a sound file system with part of the tree. An archive
    /// without its end, an empty one too, is one that was cut off.
    ///
    /// Returns how many members were unpacked. `report` hears, once, that a "/" at the beginning of names was left out.
    @discardableResult
    public func untar(
        _ archive: FileContents, into path: GuestPath, report: @escaping (String) -> Void = { _ in }
    ) throws(StorageError) -> Int {
        let top = try require(path, followLast: true)
        guard top.attributes.type == .directory else {
            throw error(.refused, .notADirectory, "\(path.shellText) is no directory")
        }
        var unpacking = Unpacking(self, top, TarReader(archive), report)
        return try unpacking.run()
    }
}

/// One archive on its way into a directory.
private struct Unpacking {
    private let edit: GuestEdit
    private let top: GuestFile
    private var reader: TarReader
    private let report: (String) -> Void
    private var hasAbsoluteNames = false
    private var trail: ArchiveTrail
    /// Symbolic links that the archive brought: no other member may go through them, by whatever path or further
    /// name.
    private var links: Set<FileKey> = []
    /// Names with more levels, or longer, are not unpacked.
    private static let levelLimit = 8192
    private static let nameLimit = 2 << 20
    /// Set last: names made in a directory change its time.
    private var directoryTimes: [(key: FileKey, time: Timestamp)] = []

    init(_ edit: GuestEdit, _ top: GuestFile, _ reader: TarReader, _ report: @escaping (String) -> Void) {
        self.report = report
        self.edit = edit
        self.top = top
        self.reader = reader
        trail = ArchiveTrail(top)
    }

    mutating func run() throws(StorageError) -> Int {
        var count = 0
        while let member = try reader.next() {
            do throws(StorageError) {
                try unpack(member)
            } catch {
                // What an archive asks for, a name that is too long for instance, nobody typed.
                var error = error
                if error.kind == .misuse { error.kind = .refused }
                throw error
            }
            count += 1
        }
        for (key, time) in directoryTimes {
            try edit.setKeptAttributes(
                of: key, AttributeChange(accessTime: time, modificationTime: time))
            try edit.splitIfLarge(key.volume)
        }
        return count
    }

    private mutating func unpack(_ member: TarReader.Member) throws(StorageError) {
        guard !member.name.isEmpty else {
            throw StorageError(
                .refused, TarCode.emptyName,
                "the archive has a member without a name; nothing was written", offset: reader.position)
        }
        noteAbsolute(member)
        let parts = try components(member.name)
        let edit = edit
        try edit.naming(top.path.appending(member.name)) { () throws(StorageError) in
            guard let name = parts.last else { return try self.unpackTop(member) }
            let directory = try self.directory(parts.dropLast())
            try self.unpack(member, at: try edit.place(of: name, in: directory))
        }
    }

    /// ".": the directory that the archive goes into gets the owner, mode and times of the one that it was made of, as
    /// tar gives them.
    private mutating func unpackTop(_ member: TarReader.Member) throws(StorageError) {
        guard isDirectory(member) else {
            throw edit.error(
                .refused, .isADirectory,
                "the archive's member \(member.name.shellText) is no directory, and would take the place of "
                    + "\(top.path.shellText); nothing was written")
        }
        try give(try options(of: member), to: top)
    }

    private func isDirectory(_ member: TarReader.Member) -> Bool {
        member.type == UInt8(ascii: "5") || member.type == UInt8(ascii: "D")
    }

    private func options(of member: TarReader.Member) throws(StorageError) -> NewFileOptions {
        NewFileOptions(
            permissions: member.permissions, owner: member.owner, group: member.group, time: member.time,
            extendedAttributes: try attributes(of: member))
    }

    private mutating func unpack(
        _ member: TarReader.Member, at place: GuestEdit.Place
    ) throws(StorageError) {
        let options = try options(of: member)
        if isDirectory(member), try keep(place, options) { return }
        var linked: GuestFile?
        if member.type == UInt8(ascii: "1") {
            linked = try self.target(of: member)
            // What is replaced may lie on the way to it.
            trail.clear()
            if let linked, try edit.tree.lookUp(place.name, in: place.directory.key) == linked.id { return }
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
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
            let attributes = try new(.regular)
            var reader = self.reader
            let contents = FileContents { (count) throws(StorageError) in try reader.read(count) }
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
                directoryTimes.append((FileKey(volume: volume, id: id), member.time))
            }
        default:
            throw StorageError(
                .unsupported, TarCode.memberType,
                "the archive's member is of a type that is not unpacked (\([member.type].displayText))",
                offset: reader.position)
        }
        try edit.splitIfLarge(volume)
    }

    /// The directory that the archive goes into is all there is for it. Symbolic links stay as they are.
    private mutating func noteAbsolute(_ member: TarReader.Member) {
        guard !hasAbsoluteNames else { return }
        let names = [member.name] + (member.type == UInt8(ascii: "1") ? [member.target] : [])
        guard let name = names.first(where: { GuestPath($0).isAbsolute }) else { return }
        hasAbsoluteNames = true
        report(
            "the archive has names that begin with /, as \(name.shellText); they are taken as names below "
                + top.path.shellText)
    }

    /// A member's name without "." and a leading "/"; ".." is refused.
    private func components(_ name: [UInt8]) throws(StorageError) -> [[UInt8]] {
        let parts = GuestPath(name).components.filter { $0 != GuestPath.here }
        guard !parts.contains(GuestPath.above) else {
            throw StorageError(
                .refused, TarCode.nameLeadsOut,
                "the archive's member \(name.shellText) leads out of the directory; nothing was written",
                offset: reader.position)
        }
        guard parts.count <= Self.levelLimit, name.count <= Self.nameLimit else {
            throw StorageError(
                .refused, TarCode.nameTooDeep,
                "the archive has a name of \(parts.count) levels and \(name.count) bytes; more than "
                    + "\(Self.levelLimit) levels or \(Self.nameLimit) bytes are not unpacked; nothing was written",
                offset: reader.position)
        }
        return parts
    }

    /// The directory of a path in the archive; made when the archive did not bring it.
    private mutating func directory(_ parts: ArraySlice<[UInt8]>) throws(StorageError) -> GuestFile {
        for name in trail.leave(for: parts) {
            trail.enter(name, try directory(name, in: trail.directory))
        }
        return trail.directory
    }

    private func directory(_ name: [UInt8], in parent: GuestFile) throws(StorageError) -> GuestFile {
        let place = try edit.place(of: name, in: parent)
        if try edit.tree.lookUp(name, in: parent.key) == nil {
            let new = try edit.attributes(
                ofNew: .directory, in: parent, NewFileOptions(), usual: 0o755)
            _ = try edit.names(on: parent.volume).createDirectory(name, in: parent.id, attributes: new)
        }
        let found: GuestFile?
        do throws(StorageError) {
            found = try self.found(place)
        } catch {
            guard error.isCode(TarCode.throughLink) else { throw error }
            throw StorageError(
                .refused, TarCode.throughLink,
                "a member of the archive goes through \(place.path.shellText), a symbolic link that it brought "
                    + "itself; nothing was written", offset: reader.position)
        }
        guard let found, found.attributes.type == .directory else {
            throw edit.error(
                .refused, .notADirectory, "\(place.path.shellText) is in the way: it is no directory")
        }
        return found
    }

    /// What has a name, links followed, but not those that the archive brought. Only a link is looked for from the top.
    private func found(_ place: GuestEdit.Place) throws(StorageError) -> GuestFile? {
        guard let child = try edit.tree.child(place.name, of: place.directory) else { return nil }
        guard child.attributes.type == .symbolicLink else { return child }
        return try steps.walk(place.path, followLast: true)
    }

    private var steps: ArchiveSteps { ArchiveSteps(tree: edit.tree, links: links) }

    /// True for a directory that is there already: it stays and gets the archive's attributes, unless it is reached
    /// through a link.
    private mutating func keep(
        _ place: GuestEdit.Place, _ options: NewFileOptions
    ) throws(StorageError) -> Bool {
        let found: GuestFile?
        do throws(StorageError) {
            found = try self.found(place)
        } catch {
            guard error.isCode(TarCode.throughLink) else { throw error }
            return false
        }
        guard let found, found.attributes.type == .directory else { return false }
        let isLink = try edit.tree.child(place.name, of: place.directory)?.attributes.type == .symbolicLink
        guard !isLink else { return true }
        try give(options, to: found)
        return true
    }

    /// Gives a directory that is there the attributes of an archive's.
    private mutating func give(_ options: NewFileOptions, to found: GuestFile) throws(StorageError) {
        try edit.setKeptAttributes(
            of: found.key,
            AttributeChange(
                permissions: options.permissions, owner: options.owner, group: options.group))
        for attribute in options.extendedAttributes
        where try edit.capabilities(on: found.volume).allows(.extendedAttributes) {
            try edit.extendedAttributes(on: found.volume).setExtendedAttribute(
                attribute.name, of: found.id, to: attribute.value)
        }
        if let time = options.time { directoryTimes.append((found.key, time)) }
        try edit.splitIfLarge(found.volume)
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

    /// The file that a hard link of the archive leads to.
    private mutating func target(of member: TarReader.Member) throws(StorageError) -> GuestFile {
        let parts = try components(member.target)
        guard let name = parts.last else {
            throw edit.error(.refused, .noSuchFile, "a hard link of the archive leads to no file")
        }
        let directory = try directory(parts.dropLast())
        guard let found = try edit.tree.child(name, of: directory) else {
            throw edit.noSuchFile(directory.path.appending(name))
        }
        return found
    }

    /// Extended attributes, and ACLs that the archive has as text.
    private func attributes(of member: TarReader.Member) throws(StorageError) -> [ExtendedAttribute] {
        var result = member.attributes
        for (text, name) in [
            (member.accessText, AccessControl.AttributeName.access),
            (member.defaultText, AccessControl.AttributeName.inherited),
        ] {
            guard let text, !text.isEmpty, !result.contains(where: { $0.name == name }) else {
                continue
            }
            let list = try edit.accessControl(String(hostBytes: text))
            result.append(ExtendedAttribute(name: name, value: list.value))
        }
        return result
    }
}
