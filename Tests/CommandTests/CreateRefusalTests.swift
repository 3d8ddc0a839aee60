import Foundation
import TestSupport
import Testing

/// What `create` is told and cannot do: the same status whatever the format, and nothing is left.
@Suite struct CreateRefusalTests {
    private func create(_ arguments: [String], expect status: Int32) throws -> String {
        let directory = try TemporaryDirectory()
        let result = try Tool.run(
            Fixture.command, ["create"] + arguments, directory: directory.root, expect: status...status)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.root).isEmpty)
        return result.errorText
    }

    @Test(arguments: ["raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi"])
    func aSizeThatIsTooLarge(_ format: String) throws {
        for size in ["7E", "15E"] { _ = try create(["-f", format, "disk", size], expect: 2) }
    }

    @Test(arguments: [[""], [","], ["compat=1.1,"], ["compat=1.1,,cluster_size=64k"], ["compat=1.1", ""]])
    func anEmptyOption(_ options: [String]) throws {
        let text = try create(
            ["-f", "qcow2"] + options.flatMap { ["-o", $0] } + ["disk", "1M"], expect: 64)
        #expect(text.contains("-o takes key=value"))
    }

    /// Whoever opens a child whose parent's format is not stored guesses it.
    @Test func aParentThatIsNotLookedAtHasAFormat() throws {
        let text = try create(["-f", "qcow2", "-u", "-b", "none", "disk", "1M"], expect: 64)
        #expect(text.contains("its format has to be given"))
    }

    /// The usage is that of the command.
    @Test(arguments: [
        ["create", "disk", "large"], ["resize", "disk", "large"], ["measure", "--size", "large"],
        ["map", "-s", "large", "disk"], ["create", "-F", "raw", "disk", "1M"],
    ])
    func theUsageOfTheCommand(_ arguments: [String]) throws {
        let directory = try TemporaryDirectory()
        let result = try Tool.run(
            Fixture.command, arguments, directory: directory.root, expect: 64...64)
        #expect(
            result.errorText.contains("Usage: diskgraft \(arguments[0]) ")
                && result.errorText.contains("See 'diskgraft \(arguments[0]) --help'"), "\(result.errorText)")
    }
}
