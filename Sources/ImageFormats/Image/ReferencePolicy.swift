package import Storage

/// Which files that an image names may be opened. An image opens no other file by itself: a hostile one would
/// name the host's secrets.
package struct ReferencePolicy: Equatable, Sendable {
    /// Regular files in the image's own directory, by plain name.
    package var allowsSiblings: Bool
    /// The parent or backing file that the caller names; used whatever the image says, once its identity fits.
    package var parent: String?

    /// Opens nothing.
    package static let refuse = ReferencePolicy(allowsSiblings: false)

    /// Makes a policy.
    package init(allowsSiblings: Bool, parent: String? = nil) {
        self.allowsSiblings = allowsSiblings
        self.parent = parent
    }

    /// Opens what an image at `image` calls `name` for the purpose `role` ("backing file"), or throws `refused`.
    package func open(
        _ name: String, role: String, namedBy image: String, locking: HostFile.Locking
    ) throws(StorageError) -> HostFile {
        if let parent { return try HostFile.open(parent, locking: locking) }
        guard allowsSiblings else {
            throw StorageError(
                .refused, ImageCode.referenceRefused,
                "names the \(role) \"\(Array(name.utf8).displayText)\", which is not opened unasked",
                path: image, remedies: [.allowSiblings, .nameParent])
        }
        return try HostFile.openSibling(of: image, name: name, locking: locking)
    }
}
