import DiskGraft
import Glibc
import Synchronization

/// Standard output and standard error.
enum Terminal {
    private static let outputIsTerminal = isatty(1) == 1

    /// One line on standard error, after the command's name. Nothing in it steers a terminal.
    static func printError(_ message: String) {
        lastError.withLock { $0 = message }
        printLine(message)
    }

    private static func printLine(_ message: String) {
        write("diskgraft: \(message)\n".hostBytes.terminalText, to: 2)
    }

    /// What was last said to have gone wrong.
    static var error: String? { lastError.withLock { $0 } }
    private static let lastError = Mutex<String?>(nil)

    /// Lines that are complete in themselves: help on standard output, errors on standard error.
    static func printMessage(_ message: String, isError: Bool) {
        write((message + "\n").hostBytes.terminalText, to: isError ? 2 : 1)
    }

    /// A report on standard output. A terminal gets it without anything that steers it; a pipe or file gets the bytes
    /// as they are.
    static func print(_ text: String) { print(text.hostBytes) }

    /// The same for bytes.
    static func print(_ text: [UInt8]) { write(outputIsTerminal ? text.terminalText : text) }

    /// A name for standard output: on a terminal quoted as ls quotes it, so that a shell takes it back, elsewhere as
    /// it is.
    static func name(_ name: [UInt8]) -> [UInt8] {
        outputIsTerminal && !name.isEmpty ? Array(name.shellText.utf8) : name
    }

    /// The same for a path of the host, within a text that `print` is given.
    static func name(_ path: String) -> String {
        outputIsTerminal ? path.hostBytes.shellText : path
    }

    /// A warning on standard error.
    static func printWarning(_ message: String) { printLine("warning: \(message)") }

    /// Whether something was left out because a signal came while the reader kept us waiting.
    static var isCut: Bool { cut.load(ordering: .relaxed) }
    private static let cut = Atomic<Bool>(false)

    /// Whether anything stands on standard output.
    static var hasOutput: Bool { outputBegan.load(ordering: .relaxed) }
    private static let outputBegan = Atomic<Bool>(false)

    /// Bytes on standard output. A closed pipe ends the command with the status that SIGPIPE gives other filters.
    static func write(_ bytes: [UInt8]) { write(bytes.span8, to: 1) }

    /// Bytes on standard output.
    static func write(_ bytes: RawSpan) { write(bytes, to: 1) }

    /// Whether a line can be written to standard output without waiting.
    static var takesMore: Bool {
        var output = pollfd(fd: 1, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&output, 1, 0) == 1
    }

    /// What cannot be written to standard output is not done. A pipe without a reader ends other filters by SIGPIPE,
    /// and whoever looks at the status sees the same here.
    private static func endWithoutOutput(_ number: Int32) -> Never {
        if number == EPIPE { exit(128 + SIGPIPE) }
        printError(
            StorageError.io("standard output", operation: "write", errno: number).description)
        exit(ExitStatus.failed.rawValue)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) { write(bytes.span8, to: descriptor) }

    private static func write(_ bytes: RawSpan, to descriptor: Int32) {
        var done = 0
        if descriptor == 1, bytes.byteCount > 0 { outputBegan.store(true, ordering: .relaxed) }
        while done < bytes.byteCount {
            let put = unsafe bytes.withUnsafeBytes { buffer -> Int in
                guard let base = buffer.baseAddress else { return 0 }
                return unsafe Glibc.write(descriptor, base + done, bytes.byteCount - done)
            }
            if put < 0 {
                if errno == EINTR {
                    guard Interruption.hasCome else { continue }
                    // A reader that does not read must not keep the command from its end.
                    return cut.store(true, ordering: .relaxed)
                }
                if descriptor == 1 { endWithoutOutput(errno) }
                return
            }
            done += put
        }
    }
}

/// qemu-img's progress line: "    (12.34/100%)".
final class ProgressLine: Sendable {
    private let shown = Atomic<UInt64>(.max)

    /// Shows progress when it has moved by a hundredth of a percent. Called from many threads.
    func update(_ done: UInt64, _ total: UInt64) {
        let hundredths = total == 0 ? 10_000 : UInt64(Double(done) / Double(total) * 10_000)
        let before = shown.load(ordering: .relaxed)
        guard before == .max || hundredths > before,
            shown.compareExchange(expected: before, desired: hundredths, ordering: .relaxed).exchanged
        else { return }
        let fraction = hundredths % 100
        // Work does not wait for whoever watches it.
        guard Terminal.takesMore else { return }
        Terminal.write(Array("    (\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)/100%)\r".utf8))
    }

    /// Ends the line.
    func finish() { Terminal.write(Array("\n".utf8)) }
}
