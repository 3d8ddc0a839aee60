package import Storage

/// Which files that an image names may be opened. An image opens no other file by itself: a hostile one would
/// name the host's secrets.
package struct ReferencePolicy: Equatable, Sendable {
    /// Regular files in the image's own directory, by plain name.
    package var allowsSiblings: Bool
    /// The parents or backing files that the caller names, in any order: each image takes the one that it says is its own.
    package var parents: [String]

    /// Opens nothing.
    package static let refuse = ReferencePolicy(allowsSiblings: false)

    /// Makes a policy.
    package init(allowsSiblings: Bool, parents: [String] = []) {
        self.allowsSiblings = allowsSiblings
        self.parents = parents
    }

    /// The same with one parent named.
    package init(allowsSiblings: Bool, parent: String) {
        self.init(allowsSiblings: allowsSiblings, parents: [parent])
    }

    /// What is left for the images behind `file`, which was taken.
    func without(_ file: HostFile) -> ReferencePolicy {
        var rest = self
        rest.parents.removeAll { HostDirectory.identity(of: $0) == file.identity }
        return rest
    }

    /// Opens what an image at `image` calls `name` for the purpose `role` ("backing file"), or throws `refused`.
    package func open(
        _ name: String, role: String, namedBy image: String, locking: HostFile.Locking
    ) throws(StorageError) -> HostFile {
        guard allowsSiblings else {
            throw StorageError(
                .refused, layer: "image", code: "reference-refused",
                "names the \(role) \"\(Array(name.utf8).displayText)\", which is not opened unless "
                    + "--allow-siblings or --parent FILE says so", path: image)
        }
        return try HostFile.openSibling(of: image, name: name, locking: locking)
    }
}
