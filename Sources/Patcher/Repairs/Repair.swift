/// What a change is for, by a word. Each is declared beside the first step of a plan that answers to it.
public struct Repair: RawRepresentable, Hashable, Sendable {
    /// The word.
    public let rawValue: String
    /// It is advice unless it is asked for.
    public let needsAsking: Bool

    /// A repair of that name.
    init(_ name: String, needsAsking: Bool = false) {
        rawValue = name
        self.needsAsking = needsAsking
    }

    /// The repair of that name; nil when no step answers to it.
    public init?(rawValue: String) {
        guard let known = Self.all.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = known
    }

    /// Those that are advice unless they are asked for.
    public static var askedFor: [Repair] { all.filter(\.needsAsking) }

    /// Every repair, in the order of the steps.
    public static var all: [Repair] {
        PlanSteps.all.reduce(into: []) { if !$0.contains($1.repair) { $0.append($1.repair) } }
    }
}
