package import Storage
internal import Synchronization

/// What a tree that goes on past damage could not read: each file and directory once.
package final class TreeDamage: Sendable {
    /// A file or directory, or a path to one.
    package struct Item: Sendable, Equatable {
        /// Its path in the tree that was read.
        package var path: GuestPath
        /// Which file it is; nil where the path to it could not be walked.
        package var key: FileKey?
        /// What is wrong.
        package var error: StorageError
    }

    private let found = Mutex<[Item]>([])

    /// Nothing yet.
    package init() {}

    /// All that was found, in its order.
    package var items: [Item] { found.withLock { $0 } }

    /// More than these are not told one by one, and no guest has a use for more.
    private static let limit = 1000

    /// Notes what is damaged; throws what says nothing of a file: input and output, a request to stop, misuse.
    func note(_ error: StorageError, _ path: GuestPath, _ key: FileKey? = nil) throws(StorageError) {
        guard error.isAboutImage || error.isOfBounds, error.kind != .misuse else { throw error }
        found.withLock { items in
            guard items.count < Self.limit, !items.contains(where: { $0.path == path }) else { return }
            items.append(Item(path: path, key: key, error: error))
        }
    }

    /// What is wrong with a file.
    package func error(of key: FileKey) -> StorageError? { items.first { $0.key == key }?.error }
    /// What is wrong at a path.
    package func error(at path: GuestPath) -> StorageError? { items.first { $0.path == path }?.error }
}
