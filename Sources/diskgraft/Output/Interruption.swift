import Glibc
import Synchronization

/// SIGINT and SIGTERM: remembered, and asked for by whatever takes long, so that nothing half-written is left.
enum Interruption {
    private static let flag = Atomic<Bool>(false)

    /// Whether a signal to stop has come.
    static var hasCome: Bool { flag.load(ordering: .relaxed) }

    /// Catches the signals. A second SIGINT kills as usual. SIGPIPE becomes an error of write(2).
    static func install() {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { _ in
            Interruption.flag.store(true, ordering: .relaxed)
        }
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_RESTART
        unsafe sigaction(SIGINT, &action, nil)
        unsafe sigaction(SIGTERM, &action, nil)
        signal(SIGPIPE, SIG_IGN)
        // A file-size limit becomes EFBIG of write(2), so that what was begun is removed.
        signal(SIGXFSZ, SIG_IGN)
    }
}
