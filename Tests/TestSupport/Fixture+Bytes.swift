internal import Foundation
internal import Storage

extension Fixture {
    /// Runs the built command with arguments that are any bytes but NUL.
    @discardableResult
    public static func diskgraft(
        bytes arguments: [[UInt8]], expect: ClosedRange<Int32>? = 0...0, directory: String? = nil
    ) throws -> Tool.Result {
        let line = ([Array(command.utf8)] + arguments).map(\.shellText).joined(separator: " ")
        return try Tool.run("bash", ["-c", line], directory: directory, expect: expect)
    }

    /// What the command writes on a terminal, standard error included.
    public static func terminal(
        _ arguments: [[UInt8]], directory: String? = nil
    ) throws -> [UInt8] {
        let line = ([Array(command.utf8)] + arguments).map(\.shellText).joined(separator: " ")
        let scratch = try TemporaryDirectory()
        let script = try scratch.write("script", line)
        let output = try Tool.run(
            "script", ["-qec", "bash \(script)", "/dev/null"], directory: directory, expect: nil
        ).output
        // The terminal's line ends.
        return output.filter { $0 != 13 }
    }
}
