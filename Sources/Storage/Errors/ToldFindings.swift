/// A finding that stands for others.
enum CheckLimitCode: String, LayerCode {
    static let layer = "check"

    case moreFindings = "more-findings"
}

/// Which findings of a check are told one by one, and how many are not: a table of garbage has a finding an entry.
package struct ToldFindings: Sendable {
    private let limit: Int
    private var told = 0
    private var leftOut = 0
    private var severities: Set<Severity> = []

    /// Tells the first `limit`, and the first of each severity.
    package init(limit: Int) { self.limit = limit }

    /// Whether the finding is to be told.
    package mutating func takes(_ finding: Finding) -> Bool {
        guard severities.insert(finding.severity).inserted || told < limit else {
            leftOut += 1
            return false
        }
        told += 1
        return true
    }

    /// How many were left out; nil for none. `word` is their code, where they are all of one.
    package func rest(layer: String, of word: String? = nil) -> Finding? {
        guard leftOut > 0 else { return nil }
        let kind = word.map { " (\($0))" } ?? ""
        return Self.rest(.note, "there are \(leftOut) more findings\(kind)", layer: layer)
    }

    /// A finding that stands for those that a check itself leaves out.
    package static func rest(
        _ severity: Severity, _ message: String, layer: String, count: UInt64 = 1
    ) -> Finding {
        var finding = Finding(severity, CheckLimitCode.moreFindings, message, layerName: layer)
        finding.count = count
        return finding
    }
}
