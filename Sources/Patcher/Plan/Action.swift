package import GuestTree
internal import Storage

/// One change, with what it expects to find.
package struct Action: Sendable, Equatable {
    /// What is done.
    package enum Kind: Sendable, Equatable {
        /// A file's bytes become others; inode, mode, owner and attributes stay.
        case edit(FileEdit)
        /// A file comes to be; refused when the name is taken.
        case create(NamePlace, contents: [UInt8], permissions: UInt16)
        /// A copy of a file comes to be, of its own volume; refused when the name is taken.
        case copy(GuestFile, to: NamePlace)
        /// A file's bytes become those of another of its own volume.
        case replace(GuestFile, with: GuestFile)
        /// A name moves within its directory.
        case rename(NamePlace, to: [UInt8])
        /// A name goes.
        case remove(NamePlace)
        /// A volume's label, where it has none.
        case setLabel(volume: Int, label: [UInt8])
        /// Bytes outside any file.
        case deviceBytes(volume: Int, offset: UInt64, expected: [UInt8], contents: [UInt8])
    }

    /// What is done.
    package var kind: Kind
    /// Why, in a sentence.
    package var reason: String
    /// Which repairs it belongs to.
    package var repairs: [Repair]

    /// The path of what it changes, for people; nil for what is no file.
    package var path: String? {
        switch kind {
        case .edit(let edit): edit.file.displayPath
        case .replace(let file, _): file.displayPath
        case .create(let place, _, _), .copy(_, let place), .rename(let place, _), .remove(let place):
            place.path.shellText
        case .setLabel, .deviceBytes: nil
        }
    }
    /// The edit, when it is one.
    package var edit: FileEdit? { if case .edit(let edit) = kind { edit } else { nil } }
}

/// A name in a directory.
package struct NamePlace: Sendable, Equatable {
    /// The directory that holds it.
    package var directory: FileKey
    /// Directories below it, each in the one before, that are made first where they are not there.
    package var missing: [[UInt8]] = []
    /// Its canonical path, for people.
    package var path: GuestPath
    /// The name.
    package var name: [UInt8]

    /// A name in a directory that was found in the guest.
    init(_ name: String, in directory: GuestFile) {
        self.directory = directory.key
        self.name = Array(name.utf8)
        path = directory.path.appending(self.name)
    }

    /// A name in a directory that may have to be made.
    init(_ name: String, in place: DirectoryPlace) {
        directory = place.directory.key
        missing = place.missing
        self.name = Array(name.utf8)
        path = (missing + [self.name]).reduce(place.directory.path) { $0.appending($1) }
    }
}

/// The change of a file's contents.
package struct FileEdit: Sendable, Equatable {
    /// The file; its path is canonical.
    package var file: GuestFile
    /// The bytes that must be found, all of them.
    package var expected: [UInt8]
    /// The bytes to write, all of them.
    package var contents: [UInt8]
    /// The tokens that change, in order of their places in `expected`, each with its reason.
    package var edits: [TokenEdit]
    /// Edits of another system that shares the file can be added.
    package var canBeShared = true

    /// This edit with those of another system that shares the file; where both change the same bytes, this one's hold.
    package func adding(_ other: FileEdit) -> FileEdit {
        guard canBeShared else { return self }
        var draft = FileDraft(file: file, original: expected)
        for edit in edits + other.edits {
            draft.replace(edit.range, with: edit.new, edit.repair, edit.reason)
        }
        return FileEdit(file: file, expected: expected, contents: draft.result, edits: draft.edits)
    }
}
