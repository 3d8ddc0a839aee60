/// Something about a disk's layout that its owner should know; never a reason to stop reading.
package struct LayoutFinding: Equatable, Sendable {
    /// How much it matters.
    package enum Severity: String, Sendable {
        /// Worth knowing.
        case note
        /// Something does not agree, and what is read may not be what the guest sees.
        case warning
        /// A structure is damaged or gone; `check` fails on it.
        case damage
    }

    /// How much it matters.
    package var severity: Severity
    /// A stable word for scripts and tests.
    package var code: String
    /// One sentence.
    package var message: String
    /// The disk it is about, 0 for the first given; nil for a group or array over several.
    package var disk: Int?

    /// Makes a finding.
    package init(_ severity: Severity, _ code: String, _ message: String, disk: Int? = nil) {
        self.severity = severity
        self.code = code
        self.message = message
        self.disk = disk
    }
}
