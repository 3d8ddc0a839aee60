internal import HostIO
internal import ImageFormats
internal import Storage

extension DiskImage {
    /// Files of a directory that are looked into.
    private static let siblingLimit = 128

    /// A sentence on them where there are any.
    public var childWarnings: [String] {
        Self.childWarning(path).map { ["\(path.hostBytes.shellText): \($0)"] } ?? []
    }

    /// The same of the image at `path`, opened or not.
    static func childWarning(_ path: String) -> String? {
        let children = children(of: path).map(\.hostBytes.shellText)
        guard !children.isEmpty else { return nil }
        return
            "\(children.joined(separator: ", ")) beside it \(children.count == 1 ? "is a child" : "are children") of this image "
            + "(a snapshot): the machine's present state is there, not here"
    }

    /// Throws `refused` where children of the image lie beside it, unless they may break.
    static func requireNoChildren(_ path: String, _ options: ImageOptions) throws(StorageError) {
        guard !options.changesParents, let warning = childWarning(path) else { return }
        throw StorageError(
            .refused, DiskCode.hasChildren, "\(warning); a change here would break it", path: path,
            remedies: [.changeParent])
    }

    /// What a change of the image at `path` does to its children, where there are any.
    static func changeWarning(_ path: String) -> String? {
        childWarning(path).map {
            "\($0); a change here spoils what they show, or keeps them from opening, until it is taken back"
        }
    }

    /// The same of a file that another one is about to replace; none where there is no file.
    public static func replacementWarnings(_ path: String) -> [String] {
        guard HostDirectory.isRegularFile(path), let warning = childWarning(path) else { return [] }
        return [
            "\(path.hostBytes.shellText): \(warning); without the file that is replaced they show nothing right"
        ]
    }

    /// Names of files in the same directory that say that this image is their parent: the machine's present state is
    /// theirs, and they are worthless once this one changes.
    private static func children(of path: String) -> [String] {
        let place = HostDirectory.resolved(path) ?? path
        let name = HostPath.name(of: place)
        let directory = HostPath.directory(of: place)
        guard let own = try? HostFile.open(place, locking: .ignore), !own.hasFixedLength else { return [] }
        let stem = name.prefix { $0 != "." }
        let others = HostDirectory.names(in: directory).filter { $0 != name }
        // In a full directory those with a similar name are looked at first.
        let candidates = others.filter { $0.hasPrefix(stem) } + others.filter { !$0.hasPrefix(stem) }
        return candidates.lazy.filter { HostDirectory.isRegularFile("\(directory)/\($0)") }.prefix(
            siblingLimit
        ).filter {
            guard let other = try? HostFile.openSibling(of: place, name: $0, locking: .ignore) else {
                return false
            }
            return ImageProbe.isChild(other, of: own)
        }
    }
}

extension Guest {
    /// Of every disk whose child lies beside it, a sentence.
    public var childWarnings: [String] {
        images.flatMap(\.childWarnings).map { $0 + ", and a change here breaks it" }
    }
}
