internal import Storage

/// What can be wrong with an image, whatever its format; the `code` of each error. See also `ParentCode` and `GrowthCode`.
package enum ImageCode: String, LayerCode, CaseIterable {
    package static var layer: String { "image" }

    // Finding the format.
    case ambiguousFormat = "ambiguous-format"
    case foreignFormat = "foreign-format"
    case notBuilt = "not-built"
    // Options of creation.
    case unknownOption = "unknown-option"
    case badOption = "bad-option"
    // Reading and writing.
    case empty
    case referenceRefused = "reference-refused"
    case compressedUnit = "compressed-unit"
    case noExtent = "no-extent"
    case noMemory = "no-memory"
    case readOnly = "read-only"
    case readOnlyFormat = "read-only-format"
}
