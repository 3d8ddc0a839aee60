internal import HostIO
internal import ImageFormats
internal import Storage

extension DiskImage {
    /// Images in the same directory that say that this one is their parent: the machine's present state is theirs, and
    /// they are worthless once this one changes.
    public var childrenBeside: [String] {
        let name = HostPath.name(of: path)
        let directory = HostPath.directory(of: path)
        let stem = String(name.prefix { $0 != "." })
        let others = HostDirectory.names(in: directory).filter { $0 != name }
        let own = Self.identifiers(opened.info)
        // In a full directory those with a similar name are looked at first.
        let candidates = others.filter { $0.hasPrefix(stem) } + others.filter { !$0.hasPrefix(stem) }
        return candidates.prefix(Self.childLimit).filter { candidate in
            let path = "\(directory)/\(candidate)"
            guard HostDirectory.isRegularFile(path),
                let info = try? ImageProbe.describe(path, locking: .ignore)
            else { return false }
            return info.namesParent(name, identifiers: own)
        }
    }

    private static let childLimit = 300

    /// What a child knows its parent by, besides the name.
    private static func identifiers(_ info: ImageInfo) -> Set<String> {
        let names = ["CID", "identifier", "data write identifier"]
        return Set(info.details.filter { names.contains($0.name) }.map(\.value))
    }

    /// A sentence for each of `childrenBeside`'s owners that has one.
    public var childWarnings: [String] {
        let children = childrenBeside
        guard !children.isEmpty else { return [] }
        return [
            "\(path): \(children.joined(separator: ", ")) beside it \(children.count == 1 ? "is a child" : "are children") of this image "
                + "(a snapshot): the machine's present state is there, not here, and a change here breaks it"
        ]
    }
}

extension ImageInfo {
    /// Whether the parent that it names has this file name, or one of these identifiers.
    fileprivate func namesParent(_ name: String, identifiers: Set<String>) -> Bool {
        let isNamed = references.contains { reference in
            guard reference.role == "parent" || reference.role == "backing file" else { return false }
            return reference.name.split { $0 == "/" || $0 == "\\" }.last.map(String.init) == name
        }
        return isNamed
            || details.contains { detail in
                ["parent CID", "parent identifier"].contains(detail.name)
                    && identifiers.contains(detail.value)
            }
    }
}

extension Guest {
    /// Of every disk whose child lies beside it, a sentence.
    public var childWarnings: [String] { images.flatMap(\.childWarnings) }
}
