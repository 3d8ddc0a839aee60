internal import GuestTree
internal import Storage

/// A file that a boot reads, or a directory of such files, that cannot be read here, or is more than is read.
struct UnreadableFile: Sendable, Equatable {
    /// Its path.
    var path: String
    /// What is wrong.
    var why: String
    /// It is more than is read, and nothing is wrong with it otherwise.
    var isOfBounds = false
}

extension UnreadableFile {
    /// What is wrong with a file or directory, or with the way to it; nil where nothing was found.
    init?(_ path: String, _ file: GuestFile?, in tree: some GuestTree) {
        guard let error = file.flatMap(tree.damage(of:)) ?? tree.damage(at: GuestPath(path)) else {
            return nil
        }
        self.init(path: path, why: error.message, isOfBounds: error.isOfBounds)
    }
}
