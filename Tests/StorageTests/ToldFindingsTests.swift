import Storage
import TestSupport
import Testing

/// A check that finds more than anybody reads says how much more.
struct ToldFindingsTests {
    private enum Code: String, LayerCode {
        static let layer = "test"
        case bad
    }

    private static func finding(_ severity: Severity) -> Finding { Finding(severity, Code.bad, "it is bad") }

    @Test func whatIsLeftOutIsCounted() throws {
        var told = ToldFindings(limit: 3)
        #expect((0..<5).map { _ in told.takes(Self.finding(.damage)) } == [true, true, true, false, false])
        // The first of each severity is told in any case: it decides what the check comes to.
        #expect(told.takes(Self.finding(.warning)) && !told.takes(Self.finding(.warning)))
        let rest = try #require(told.rest(layer: "test"))
        #expect(rest.message == "there are 3 more findings" && rest.severity == .note)
        #expect(rest.layer == "test" && rest.code == "more-findings")
        #expect(told.rest(layer: "test", of: "bad")?.message == "there are 3 more findings (bad)")
    }

    @Test func nothingIsSaidOfNothing() {
        var told = ToldFindings(limit: 3)
        for _ in 0..<3 { _ = told.takes(Self.finding(.damage)) }
        #expect(told.rest(layer: "test") == nil)
    }
}
