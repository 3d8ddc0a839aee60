package import Storage

/// Something that `check` found in an image.
package struct ImageFinding: Equatable, Sendable {
    /// How bad it is.
    package enum Severity: String, Sendable {
        /// The bytes contradict the format: what the guest reads may be wrong.
        case damage
        /// Space in the file that nothing refers to.
        case leak
        /// Worth knowing; nothing is wrong with the guest's disk.
        case note
    }

    /// How bad it is.
    package var severity: Severity
    /// The layer that it is in: "vhd", "vhdx"…
    package var layer: String
    /// A stable word, as in `StorageError.code`.
    package var code: String
    /// A sentence for people.
    package var message: String
    /// The on-disk structure, as the format's documentation names it.
    package var structure: String?
    /// Its offset in the file, in bytes.
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

    /// What an error that was thrown says: damage.
    package init(_ error: StorageError) {
        self.init(
            .damage, layer: error.layer, code: error.code, error.message, structure: error.structure,
            offset: error.offset)
    }
}
