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
        _ name: String, role: String, namedBy image: String, in files: any ByteFileStore
    ) throws(StorageError) -> any ByteFile {
        if let parent { return try files.open(parent, access: .read) }
        guard allowsSiblings else {
            throw StorageError(
                .refused, ImageCode.referenceRefused,
                "names the \(role) \"\(Array(name.utf8).displayText)\", which is not opened unasked",
                path: image, remedies: [.allowSiblings, .nameParent])
        }
        return try files.openSibling(of: image, name: name, access: .read)
    }
}
