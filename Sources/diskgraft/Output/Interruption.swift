import Glibc
import Synchronization

/// SIGINT, SIGTERM and SIGHUP: remembered, and asked for by whatever takes long, so that nothing half-written is left.
enum Interruption {
    /// The signal that came first; 0 while none has.
    private static let first = Atomic<Int32>(0)
    private static let isTerminalLent = Atomic<Bool>(false)
    private static let wakesLeft = Atomic<Int>(20)

    /// Whether a signal to stop has come.
    static var hasCome: Bool { first.load(ordering: .relaxed) != 0 }

    /// 128 and the signal's number, as shells count.
    static var exitStatus: Int32 { 128 + first.load(ordering: .relaxed) }

    /// Catches the signals; the next one of any of them kills as usual. SIGPIPE becomes an error of write(2).
    static func install() {
        // What the handlers use exists before the first signal comes.
        _ = (hasCome, isTerminalLent.load(ordering: .relaxed), wakesLeft.load(ordering: .relaxed))
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_sigaction = { number, information, _ in
            // Sent by the terminal while an editor has it: ^C is for the editor.
            let isTyped = unsafe information.map { unsafe $0.pointee.si_code > 0 } ?? false
            if isTyped, number == SIGINT, Interruption.isTerminalLent.load(ordering: .relaxed) { return }
            Interruption.note(number)
        }
        // No SA_RESTART: a read or write that waits for another program ends.
        action.sa_flags = Int32(SA_SIGINFO)
        unsafe sigaction(SIGINT, &action, nil)
        unsafe sigaction(SIGTERM, &action, nil)
        var inherited = sigaction()
        unsafe sigaction(SIGHUP, nil, &inherited)
        // nohup.
        if unsafe unsafeBitCast(inherited.__sigaction_handler.sa_handler, to: Int.self) != 1 {
            unsafe sigaction(SIGHUP, &action, nil)
        }
        var wake = sigaction()
        unsafe wake.__sigaction_handler.sa_handler = { _ in Interruption.wake() }
        unsafe sigaction(SIGALRM, &wake, nil)
        // A parent that starts programs from worker threads hands down what those threads block.
        var caught = sigset_t()
        unsafe sigemptyset(&caught)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGALRM] { unsafe sigaddset(&caught, number) }
        unsafe pthread_sigmask(SIG_UNBLOCK, &caught, nil)
        signal(SIGPIPE, SIG_IGN)
        // A file-size limit becomes EFBIG of write(2), so that what was begun is removed.
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Runs `body` while another program has the terminal.
    static func lendingTerminal<Result, Failure>(_ body: () throws(Failure) -> Result) throws(Failure)
        -> Result
    {
        isTerminalLent.store(true, ordering: .relaxed)
        defer { isTerminalLent.store(false, ordering: .relaxed) }
        return try body()
    }

    /// Takes note of a signal that asks to stop. Also runs in the handler.
    static func note(_ number: Int32) {
        _ = first.compareExchange(expected: 0, desired: number, ordering: .relaxed)
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
        signal(SIGHUP, SIG_DFL)
        wake()
    }

    /// A call may have begun to wait just after the signal was looked for: it is woken a little later, some times.
    private static func wake() {
        guard wakesLeft.subtract(1, ordering: .relaxed).newValue >= 0 else { return }
        var timer = itimerval()
        timer.it_value.tv_usec = 50_000
        unsafe setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
    }
}
