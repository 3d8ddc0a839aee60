internal import Storage

/// A name by which a differencing disk remembers its parent.
struct ParentName: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        /// Relative to the disk's own directory, or a plain name.
        case relative
        /// A place on the host where the disk was made, or a volume.
        case absolute
    }

    var kind: Kind
    /// As stored, decoded.
    var text: String
    /// What the format calls it, for `info`.
    var source: String

    /// The plain name of a file beside the disk that this may mean; nil when it means another directory. Of a path
    /// of another machine only its last part is of use.
    var sibling: String? {
        var text = text[...]
        for scheme in ["file://localhost", "file://"] where text.hasPrefix(scheme) {
            text = text.dropFirst(scheme.count)
            break
        }
        let parts = text.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == "\\" }
        guard let last = parts.last, !last.isEmpty, last != ".", last != ".." else { return nil }
        if kind == .relative, parts.dropLast().contains(where: { $0 != "." && !$0.isEmpty }) { return nil }
        return String(last)
    }
}

/// The disks between the one that was opened and the one whose parent is looked for, itself included.
struct ParentChain: Sendable {
    /// Longer chains are refused: nobody makes them, and each disk costs a file and a table.
    static let limit = 64

    private(set) var files: [FileIdentity]
    private var count = 1
    /// Disks that are not made yet and will stand above.
    private let above: Int

    init(_ file: any ByteFile, above: Int = 0) {
        files = file.identity.map { [$0] } ?? []
        self.above = above
    }

    /// The chain with one more disk. Throws when it is in the chain already, or one too many.
    func adding(_ file: any ByteFile, layer: String) throws(StorageError) -> ParentChain {
        if let identity = file.identity { try refuseCycle(identity, file.path, layer: layer) }
        guard count + above < Self.limit else {
            throw StorageError(
                .refused, ParentCode.chainTooLong, "the chain of parents is longer than \(Self.limit) disks",
                layerName: layer, path: file.path)
        }
        var longer = self
        longer.count += 1
        if let identity = file.identity { longer.files.append(identity) }
        return longer
    }

    func refuseCycle(_ identity: FileIdentity, _ path: String, layer: String) throws(StorageError) {
        guard files.contains(identity) else { return }
        throw StorageError(
            .corrupt, ParentCode.cycle, "the disk is its own parent, directly or by way of others",
            layerName: layer, path: path)
    }
}

/// What can be wrong with a parent; the `code` of the error. The layer is the format.
enum ParentCode: String, LayerCode, CaseIterable {
    static let layer = "image"

    case mismatch = "parent-mismatch"
    case notFound = "parent-not-found"
    case cycle = "parent-cycle"
    case chainTooLong = "chain-too-long"
    case ambiguous = "parent-ambiguous"
}

/// Finds the parent of a differencing disk as far as the policy allows, and knows it by its identity, not its name.
struct ParentSearch {
    /// What an image knows its parent by.
    enum Knowledge: Sendable {
        /// An identifier in both.
        case identifier
        /// Nothing but the name.
        case name
    }

    let layer: String
    let child: any ByteFile
    let options: ImageOpenOptions
    let chain: ParentChain
    var knowledge = Knowledge.identifier
    /// The identifier that the disk knows its parent by, as it is shown, and that of another file; nil where it has none.
    var identifiers: (wanted: String, of: @Sendable (any ByteFile) -> String?)?

    /// How what stands behind `file`, the parent that was found, is to be opened.
    func below(_ file: any ByteFile) -> ImageOpenOptions {
        var below = options
        below.access = .read
        below.vhdSize = .byCreator
        below.references = options.references.without(file, in: options.files)
        return below
    }

    /// Opens the parent. `accept` looks into a candidate and returns nil when it is another disk.
    func find<Found>(
        _ names: [ParentName], accept: (any ByteFile) throws(StorageError) -> Found?
    ) throws(StorageError) -> Found {
        if let found = try findNamed(accept) { return found }
        let policy = options.references
        guard policy.allowsSiblings else {
            if let path = policy.parents.first { throw mismatch(path, isNamed: true) }
            // Throws, in the words that all formats have for it.
            _ = try policy.open(
                names.first?.text ?? "(no name)", role: "parent", namedBy: child.path,
                in: options.files)
            throw notFound(names)
        }
        var plain: [String] = []
        for case let name? in names.map(\.sibling) where !plain.contains(name) { plain.append(name) }
        var other: String?
        for name in plain {
            let path = "\(HostPath.directory(of: child.path))/\(name)"
            guard options.files.exists(path) else { continue }
            if let identity = options.files.identity(of: path) {
                try chain.refuseCycle(identity, path, layer: layer)
            }
            let file = try options.files.openSibling(of: child.path, name: name, access: .read)
            if let found = try accept(file) { return found }
            other = path
        }
        if let other { throw mismatch(other) }
        if let path = policy.parents.first { throw mismatch(path, isNamed: true) }
        throw notFound(names)
    }

    /// The one among the parents that the caller names; nil when none of them is it.
    private func findNamed<Found>(
        _ accept: (any ByteFile) throws(StorageError) -> Found?
    ) throws(StorageError) -> Found? {
        var taken: (path: String, found: Found)?
        for path in options.references.parents {
            if let identity = options.files.identity(of: path) {
                try chain.refuseCycle(identity, path, layer: layer)
            }
            let file = try options.files.open(path, access: .read)
            guard let found = try accept(file) else { continue }
            if let taken {
                throw StorageError(
                    .refused, ParentCode.ambiguous,
                    "both \(taken.path.hostBytes.shellText) and \(path.hostBytes.shellText) are given as parents and "
                        + "could be this disk's", layerName: layer, path: child.path, remedies: [.nameParent])
            }
            taken = (path, found)
        }
        return taken?.found
    }

    private func mismatch(_ path: String, isNamed: Bool = false) -> StorageError {
        var reason =
            switch knowledge {
            case .identifier:
                "its identifier is another, so the parent was replaced, or written to behind its child's back"
            case .name: "its name is not the one that the disk has for its backing file"
            }
        if knowledge == .identifier, let identifiers,
            let found = (try? options.files.open(path, access: .read)).flatMap(identifiers.of)
        {
            reason =
                "that knows its parent by \(identifiers.wanted), and this is \(found): it is another disk, or it was written to "
                + "behind its child's back; a copy of the parent from before that fits"
        }
        return StorageError(
            .refused, ParentCode.mismatch,
            "is not the parent of \(child.path.hostBytes.shellText): \(reason)", layerName: layer, path: path,
            // Whoever has named it has heard that advice.
            remedies: isNamed ? [] : [.nameParent])
    }

    private func notFound(_ names: [ParentName]) -> StorageError {
        let list = names.map { "\"\(Array($0.text.utf8).displayText)\"" }.joined(separator: ", ")
        return StorageError(
            .refused, ParentCode.notFound,
            "its parent (\(list.isEmpty ? "without a name" : list)) is not beside it", layerName: layer,
            path: child.path, remedies: [.nameParent])
    }
}
