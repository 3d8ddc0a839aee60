import CLinux

/// SIGINT, SIGTERM and SIGHUP: remembered, and asked for by whatever takes long, so that nothing half-written is left.
///
/// The handlers are C: Swift code in one may allocate, and the signal may have come inside malloc(3).
enum Interruption {
    /// Whether a signal to stop has come.
    static var hasCome: Bool { clinux_interruption_first() != 0 }

    /// 128 and the signal's number, as shells count.
    static var exitStatus: Int32 { 128 + clinux_interruption_first() }

    /// Catches the signals; the next one of any of them kills as usual. SIGPIPE becomes an error of write(2).
    static func install() { clinux_interruption_install() }

    /// Runs `body` while another program has the terminal.
    static func lendingTerminal<Result, Failure>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        clinux_interruption_lend_terminal(1)
        defer { clinux_interruption_lend_terminal(0) }
        return try body()
    }

    /// Takes note of a signal that asks to stop.
    static func note(_ number: Int32) { clinux_interruption_note(number) }
}
