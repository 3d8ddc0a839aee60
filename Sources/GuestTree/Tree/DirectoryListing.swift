internal import Storage
internal import Synchronization

/// The names of directories in which file after file is looked for: one by one each would take a look through all of them.
final class DirectoryListing: Sendable {
    private struct State {
        /// How often names of each directory were asked for.
        var askedCounts: [FileKey: Int] = [:]
        /// Names that are there once, of the directories that were read.
        var files: [FileKey: [[UInt8]: FileID]] = [:]
        var nameCount = 0
    }

    /// As often a directory is asked before all of it is read.
    private static let threshold = 16

    private let state = Mutex(State())

    /// The file of that name, spelled so; nil where the file system has to tell.
    func find(
        _ name: [UInt8], in directory: FileKey, of fileSystem: any FileSystem
    ) throws(StorageError) -> FileID? {
        let isDue = state.withLock { state in
            state.askedCounts[directory, default: 0] += 1
            return state.askedCounts[directory] == Self.threshold && state.nameCount < configurationNameLimit
        }
        if isDue, let found = try Self.names(of: directory, fileSystem) {
            state.withLock { state in
                state.files[directory] = found
                state.nameCount += found.count
            }
        }
        return state.withLock { $0.files[directory]?[name] }
    }

    private static func names(
        of directory: FileKey, _ fileSystem: any FileSystem
    ) throws(StorageError) -> [[UInt8]: FileID]? {
        let entries: [DirectoryEntry]
        do throws(StorageError) {
            entries = try fileSystem.entries(of: directory.id, limit: configurationNameLimit)
        } catch {
            guard !error.isCancellation else { throw error }
            return nil
        }
        var found: [[UInt8]: FileID] = [:]
        for entry in entries {
            // Which of two counts the file system knows.
            guard found.updateValue(entry.file, forKey: entry.name) == nil else { return nil }
        }
        return found
    }
}
