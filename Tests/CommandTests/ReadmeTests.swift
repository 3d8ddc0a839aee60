import TestSupport
import Testing

/// README.md shows what the command says.
struct ReadmeTests {
    /// The lines of the first example, without their indentation.
    private func shown(after command: String) throws -> [String] {
        let text = String(decoding: try fileBytes(Fixture.repository + "/README.md"), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex { $0 == "    $ " + command })
        return lines[(start + 1)...].prefix { $0.hasPrefix("    ") }.map { String($0.dropFirst(4)) }
    }

    @Test func theExampleIsWhatTheCommandSays() throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            "Examples/guest.vmdk", try fileBytes(Fixture.repository + "/Examples/guest.vmdk"))
        let arguments = "migrate Examples/guest.vmdk web01.vhd --to hyperv"
        let said = try Tool.run(
            Fixture.command, arguments.split(separator: " ").map(String.init), directory: directory.root
        ).text.split(separator: "\n").map(String.init)
        let shown = try shown(after: "diskgraft " + arguments)
        #expect(!shown.isEmpty)
        let difference = zip(shown, said).first { $0 != $1 }
        #expect(difference == nil, "README.md shows another line than the command prints")
        #expect(shown.count == said.count)
    }
}
