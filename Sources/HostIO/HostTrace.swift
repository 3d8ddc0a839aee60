internal import Synchronization

/// Tells tests what reaches the host's files, undo records included, in order, so that they can cut the power
/// anywhere. Off, it costs one load a call.
@_spi(Testing)
public enum HostTrace {
    /// One call that changes something outside of this process, or orders such calls.
    public enum Event: Sendable {
        /// A file was made; its name is durable after the directory's sync.
        case create(String)
        /// unlink.
        case remove(String)
        /// rename, over whatever had the name.
        case rename(String, to: String)
        /// pwrite.
        case write(String, offset: UInt64, bytes: [UInt8])
        /// A hole punched.
        case zero(String, offset: UInt64, count: UInt64)
        /// ftruncate.
        case truncate(String, length: UInt64)
        /// fdatasync.
        case flush(String)
        /// fsync of a directory.
        case syncDirectory(String)

        /// The file or directory.
        public var path: String {
            switch self {
            case .create(let path), .remove(let path), .rename(_, let path), .flush(let path),
                .syncDirectory(let path):
                path
            case .write(let path, _, _), .zero(let path, _, _), .truncate(let path, _): path
            }
        }
    }

    private static let isOn = Atomic(false)
    private static let recordings: Mutex<[(prefix: String, events: [Event])]> = Mutex([])

    /// Runs `body` and returns what it did to files whose paths begin with `prefix`.
    public static func events<Result>(
        under prefix: String, _ body: () throws -> Result
    ) rethrows -> (result: Result, events: [Event]) {
        recordings.withLock {
            $0.append((prefix, []))
            isOn.store(true, ordering: .sequentiallyConsistent)
        }
        func end() -> [Event] {
            recordings.withLock { recordings in
                guard let index = recordings.firstIndex(where: { $0.prefix == prefix }) else { return [] }
                let events = recordings.remove(at: index).events
                isOn.store(!recordings.isEmpty, ordering: .sequentiallyConsistent)
                return events
            }
        }
        do {
            let result = try body()
            return (result, end())
        } catch {
            _ = end()
            throw error
        }
    }

    @inline(__always)
    static func note(_ event: () -> Event) {
        if isOn.load(ordering: .relaxed) { record(event()) }
    }

    private static func record(_ event: Event) {
        recordings.withLock { recordings in
            for index in recordings.indices where event.path.hasPrefix(recordings[index].prefix) {
                recordings[index].events.append(event)
            }
        }
    }
}
