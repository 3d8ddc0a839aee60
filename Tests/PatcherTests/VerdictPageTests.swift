import Foundation
import Patcher
import TestSupport
import Testing

/// docs/verdicts.md explains every reason, and names tests that there are.
@Suite struct VerdictPageTests {
    @Test func everyReasonIsExplained() throws {
        let page = text(try fileBytes("\(Fixture.repository)/docs/verdicts.md"))
        let rows = page.split(separator: "\n").filter {
            $0.hasPrefix("| `") && $0.split(separator: "|").count >= 5
        }
        var words: [String] = []
        var tests: Set<String> = []
        for row in rows {
            let quoted = row.split(separator: "`", omittingEmptySubsequences: false).enumerated()
                .filter { $0.offset % 2 == 1 }.map { String($0.element) }
            words += quoted.prefix(1)
            tests.formUnion(quoted.suffix(1))
        }
        #expect(words.sorted() == VerdictReason.Code.allCases.map(\.rawValue).sorted())
        let folder = "\(Fixture.repository)/Tests/PatcherTests"
        let sources = try FileManager.default.subpathsOfDirectory(atPath: folder).filter {
            $0.hasSuffix(".swift")
        }
        .map { text(try fileBytes("\(folder)/\($0)")) }.joined()
        for test in tests { #expect(sources.contains("func \(test)("), "\(test)") }
    }
}
