internal import Storage

/// Why a conversion does not begin or go on.
enum ConversionCode: String, LayerCode {
    static var layer: String { "conversion" }

    /// The source's map does not go on.
    case emptyExtent = "empty-extent"
    /// The target has fewer bytes than the source.
    case targetTooSmall = "target-too-small"
    /// The target's units are larger than what is encoded at once.
    case unitTooLarge = "unit-too-large"
    /// An encoded unit for an output of plain bytes.
    case takesNoEncodedUnits = "takes-no-encoded-units"
}
