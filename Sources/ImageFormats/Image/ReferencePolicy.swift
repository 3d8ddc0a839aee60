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
    func without(_ file: any ByteFile, in files: any ByteFileStore) -> ReferencePolicy {
        guard let identity = file.identity else { return self }
        var rest = self
        rest.parents.removeAll { files.identity(of: $0) == identity }
        return rest
    }

    /// Opens what an image at `image` calls `name` for the purpose `role` ("backing file"), or throws `refused`.
    package func open(
        _ name: String, role: String, namedBy image: String, in files: any ByteFileStore
    ) throws(StorageError) -> any ByteFile {
        guard allowsSiblings else {
            throw StorageError(
                .refused, ImageCode.referenceRefused,
                "names the \(role) \"\(Array(name.utf8).displayText)\", which is not opened unasked",
                path: image, remedies: [.allowSiblings, .nameParent])
        }
        return try files.openSibling(of: image, name: name, access: .read)
    }
}
