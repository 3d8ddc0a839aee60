/// Why a test's own tools gave up.
public struct Failure: Error, CustomStringConvertible {
    public let description: String
    public init(description: String) { self.description = description }
}
