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
        let reasons = VerdictReason.Code.allCases.map(\.rawValue) + UnknownBoot.Code.allCases.map(\.rawValue)
        #expect(words.sorted() == reasons.sorted())
        var sources = ""
        for folder in ["PatcherTests", "CommandTests"] {
            let path = "\(Fixture.repository)/Tests/\(folder)"
            for name in try FileManager.default.subpathsOfDirectory(atPath: path)
            where name.hasSuffix(".swift") { sources += text(try fileBytes("\(path)/\(name)")) }
        }
        for test in tests { #expect(sources.contains("func \(test)("), "\(test)") }
    }
}
