/// Where files are found by name: how a format opens and makes the files of an image. Whoever puts the engine together
/// decides what that is, and with which locks.
package protocol ByteFileStore: Sendable {
    /// Opens a file that exists.
    func open(_ path: String, access: FileAccess) throws(StorageError) -> any ByteFile

    /// Opens the regular file `name` in the directory of `sibling`: never a link, a device, or a path. Throws `refused`.
    func openSibling(
        of sibling: String, name: String, access: FileAccess
    ) throws(StorageError) -> any ByteFile

    /// Makes a file that must not exist, readable and writable.
    func create(_ path: String) throws(StorageError) -> any ByteFile

    /// Takes a name away; one that does not exist is fine.
    func remove(_ path: String) throws(StorageError)

    /// The file's identity through links; nil when there is none.
    func identity(of path: String) -> FileIdentity?

    /// Whether something has this name (a dangling link counts).
    func exists(_ path: String) -> Bool

    /// Whether `path` is a regular file (through links).
    func isRegularFile(_ path: String) -> Bool

    /// The names in a directory; empty when it cannot be read.
    func names(in directory: String) -> [String]

    /// The path with every link resolved; nil when nothing is there.
    func resolved(_ path: String) -> String?

    /// `path`, or the working directory and `path`; nothing is looked up on the way.
    func absolutePath(_ path: String) -> String
}

/// No files at all: what looks at one image only, which is open, opens no other.
package struct NoOtherFiles: ByteFileStore {
    /// What can be wrong.
    package enum Code: String, LayerCode {
        /// The name of the layer.
        package static let layer = "host file"
        /// No file is opened or made here.
        case notHere = "no-other-files"
    }

    /// Nothing.
    package init() {}

    package func open(_ path: String, access: FileAccess) throws(StorageError) -> any ByteFile {
        throw refusal(path)
    }

    package func openSibling(
        of sibling: String, name: String, access: FileAccess
    ) throws(StorageError) -> any ByteFile { throw refusal(name) }

    package func create(_ path: String) throws(StorageError) -> any ByteFile { throw refusal(path) }
    package func remove(_ path: String) throws(StorageError) { throw refusal(path) }
    package func identity(of path: String) -> FileIdentity? { nil }
    package func exists(_ path: String) -> Bool { false }
    package func isRegularFile(_ path: String) -> Bool { false }
    package func names(in directory: String) -> [String] { [] }
    package func resolved(_ path: String) -> String? { nil }
    package func absolutePath(_ path: String) -> String { path }

    private func refusal(_ path: String) -> StorageError {
        StorageError(.refused, Code.notHere, "no other file is opened for this", path: path)
    }
}
