import DiskGraft
import Glibc

/// The user's editor, run on a copy.
enum Editor {
    /// How long an editor that was told to end may take.
    private static let grace = 500

    /// Runs `command` (a shell's words) on the file at `path` and waits. ^C is the editor's while it has the terminal;
    /// a signal to this process is passed on to it. Throws `refused` when it fails.
    static func run(_ command: String, on path: String) throws(StorageError) {
        // By bytes: with an accent a quotation mark is another character, and one to the shell all the same.
        let parts = path.hostBytes.split(separator: UInt8(ascii: "'"), omittingEmptySubsequences: false)
        let quoted = String(hostBytes: Array(parts.joined(separator: Array("'\\''".utf8))))
        // Without a shell in between a signal reaches the editor itself; the rest of shell syntax needs the shell.
        let isPlain = !command.contains { "|&;<>()$`=\n".contains($0) }
        // Lent before the editor runs: what is typed as soon as it shows is its own.
        let status = try Interruption.lendingTerminal { () throws(StorageError) in
            wait(for: try spawn((isPlain ? "exec " : "") + "\(command) '\(quoted)'"))
        }
        guard let status else { throw .cancelled }
        guard status == 0 else {
            // Ended by ^C, as its parent would have been.
            if status & 0x7f == SIGINT { Interruption.note(SIGINT) }
            try Cancellation.check()
            throw StorageError(
                .refused, EditorCode.editorFailed,
                "\(command) failed (status \(status >> 8 & 0xff)); nothing was written")
        }
    }

    private static func spawn(_ line: String) throws(StorageError) -> pid_t {
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
        // Ignored signals stay ignored over exec; the editor expects them as they are by default.
        var defaults = sigset_t()
        unsafe sigemptyset(&defaults)
        for number in [SIGPIPE, SIGXFSZ] { unsafe sigaddset(&defaults, number) }
        unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        var child: pid_t = 0
        let texts: [String] = ["sh", "-c", line]
        let words = unsafe texts.map { text -> UnsafeMutablePointer<CChar>? in
            unsafe (text.hostBytes + [0]).withUnsafeBufferPointer { bytes in
                unsafe bytes.baseAddress.flatMap { base in
                    unsafe base.withMemoryRebound(to: CChar.self, capacity: bytes.count) { unsafe strdup($0) }
                }
            }
        }
        defer { unsafe words.forEach { word in unsafe free(word) } }
        let number = unsafe posix_spawn(&child, "/bin/sh", nil, &attributes, words + [nil], environ)
        guard number == 0 else {
            throw .io("editor", operation: "posix_spawn", errno: number, path: "/bin/sh")
        }
        return child
    }

    /// The child's status; nil when a signal came and it was told to end.
    private static func wait(for child: pid_t) -> Int32? {
        var status: Int32 = 0
        while true {
            let ended = unsafe waitpid(child, &status, 0)
            if ended == child { return status }
            guard errno == EINTR else { return 255 << 8 }
            if Interruption.hasCome { break }
        }
        kill(child, SIGTERM)
        for _ in 0..<grace / 20 {
            if unsafe waitpid(child, &status, WNOHANG) != 0 { break }
            usleep(20_000)
        }
        return nil
    }
}
