internal import Foundation
internal import Glibc

/// The built command while it runs, to be signalled.
public final class RunningCommand {
    private let process = Process()
    private let scratch: TemporaryDirectory
    /// What the command reads, held open.
    private let input = Pipe()
    /// What it writes into, when nobody reads.
    private let output = Pipe()

    /// Where its standard output goes.
    public enum Output: Sendable {
        case nowhere
        /// Into a pipe that nobody reads.
        case fullPipe
    }

    /// Starts the command with `bytes` on its standard input, which stays open behind them.
    public init(
        _ arguments: [String], input bytes: [UInt8] = [], output: Output = .nowhere, directory: String? = nil,
        environment: [String: String] = [:]
    ) throws {
        scratch = try TemporaryDirectory()
        process.executableURL = URL(fileURLWithPath: Fixture.command)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        process.standardInput = input
        process.standardOutput = output == .nowhere ? FileHandle.nullDevice : self.output
        let errors = scratch.path("err")
        _ = FileManager.default.createFile(atPath: errors, contents: nil)
        process.standardError = FileHandle(forWritingAtPath: errors)
        try process.run()
        signal(SIGPIPE, SIG_IGN)
        try? input.fileHandleForWriting.write(contentsOf: Data(bytes))
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// Waits until the command has computed for a while. False when it ended before, or never did.
    public func isComputing() -> Bool {
        wait {
            let text = Self.text("/proc/\(process.processIdentifier)/stat")
            let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
            // utime and stime, in hundredths of a second.
            guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else {
                return false
            }
            return user + system >= 40
        }
    }

    /// Waits until the command waits in read(2) or write(2) of a descriptor below 3, or for a child.
    public func isBlocked() -> Bool {
        wait {
            let words = Self.text("/proc/\(process.processIdentifier)/syscall").split(separator: " ")
            guard words.count > 1 else { return false }
            return words[0] == "0" && words[1] == "0x0" || words[0] == "1" && words[1] == "0x1"
                || words[0] == "61"
        }
    }

    private func wait(until condition: () -> Bool) -> Bool {
        for _ in 0..<6000 where process.isRunning {
            if condition() { return process.isRunning }
            usleep(10_000)
        }
        return false
    }

    /// Sends a signal.
    public func send(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Sends a signal and waits. Nil when the command goes on for more than `seconds`, or was killed.
    public func end(by number: Int32, within seconds: Int = 10) -> Int32? {
        kill(process.processIdentifier, number)
        for _ in 0..<seconds * 50 {
            guard process.isRunning else {
                return process.terminationReason == .exit ? process.terminationStatus : nil
            }
            usleep(20_000)
        }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        return nil
    }

    /// What it said on standard error.
    public var errorText: String { Self.text(scratch.path("err")) }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}
