internal import Storage

/// One archive on its way into a directory.
struct Unpacking {
    let edit: GuestEdit
    let top: GuestFile
    var reader: TarReader
    let report: (String) -> Void
    var hasAbsoluteNames = false
    var trail: ArchiveTrail
    /// Symbolic links that the archive brought: no other member may go through them, by whatever path or further
    /// name.
    var links: Set<FileKey> = []
    /// Names with more levels, or longer, are not unpacked.
    static let levelLimit = 8192
    static let nameLimit = 2 << 20
    /// Set last: names made in a directory change its time.
    var directoryTimes: [(key: FileKey, time: Timestamp)] = []
    /// Directories whose default access control list is the archive's: members in them were made before they got it,
    /// as tar makes them, and inherit what the directory had without it.
    var listedDirectories: Set<FileKey> = []

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
        for key in listedDirectories { edit.labels[key] = nil }
        for (key, time) in directoryTimes {
            // The root of FAT has no times.
            guard try edit.tree.attributes(of: key).kept.contains(.modificationTime) else { continue }
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

    func isDirectory(_ member: TarReader.Member) -> Bool {
        member.type == UInt8(ascii: "5") || member.type == UInt8(ascii: "D")
    }
}
