/// Something that a check found.
package struct Finding: Equatable, Sendable {
    /// How bad it is.
    package enum Severity: String, Sendable {
        /// Worth knowing; nothing is wrong.
        case note
        /// Something is not as it should be, and can be lived with.
        case warning
        /// The bytes contradict the format.
        case damage
    }

    /// How bad it is.
    package var severity: Severity
    /// The layer that it is in: "ext4"…
    package var layer: String
    /// A stable word, as in `StorageError.code`.
    package var code: String
    /// A sentence for people.
    package var message: String
    /// The on-disk structure, as the format's documentation names it.
    package var structure: String?
    /// Its offset in the layer's own input, in bytes.
    package var offset: UInt64?

    /// Makes a finding.
    package init(
        _ severity: Severity, layer: String, code: String, _ message: String, structure: String? = nil,
        offset: UInt64? = nil
    ) {
        self.severity = severity
        self.layer = layer
        self.code = code
        self.message = message
        self.structure = structure
        self.offset = offset
    }
}
