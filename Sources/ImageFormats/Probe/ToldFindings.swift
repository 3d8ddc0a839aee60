internal import Storage

/// Which findings of a check are told one by one: a table of garbage has a finding an entry.
struct ToldFindings {
    private static let limit = 1000

    private var count = 0
    private var severities: Set<Severity> = []

    /// Whether the finding is to be told: the first thousand, and the first of each severity.
    mutating func takes(_ finding: Finding) -> Bool {
        count += 1
        return severities.insert(finding.severity).inserted || count <= Self.limit
    }

    /// How many were left out; nil for none.
    func rest(layer: String) -> Finding? {
        guard count > Self.limit else { return nil }
        return Finding(
            .note, ImageCode.moreFindings, "there are \(count - Self.limit) more findings", layerName: layer)
    }
}
