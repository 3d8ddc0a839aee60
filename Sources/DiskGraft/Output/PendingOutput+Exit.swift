internal import Glibc
internal import HostIO
internal import Storage
internal import Synchronization

// What is not finished goes when the process ends by itself, whoever ends it: a report that cannot be written, for one.

extension PendingOutput {
    /// Hidden directories of outputs that are being made, by bytes.
    private static let unfinished = Mutex<Set<[UInt8]>>([])
    private static let isWatched: Bool = atexit { PendingOutput.removeUnfinished() } == 0

    static func note(_ directory: String) {
        _ = isWatched
        _ = unfinished.withLock { $0.insert(HostDirectory.absolutePath(directory).hostBytes) }
    }

    static func forget(_ directory: String) {
        _ = unfinished.withLock { $0.remove(HostDirectory.absolutePath(directory).hostBytes) }
    }

    private static func removeUnfinished() {
        for directory in unfinished.withLock({ $0 }) { remove(String(hostBytes: directory)) }
    }

    static func remove(_ directory: String) {
        for name in HostDirectory.names(in: directory) { try? HostDirectory.remove("\(directory)/\(name)") }
        try? HostDirectory.removeEmpty(directory)
    }
}
