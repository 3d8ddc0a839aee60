internal import Storage

/// What can be wrong with a device that is put together from others.
enum MappingCode: String, LayerCode {
    static var layer: String { "mapping" }

    /// The layout does not go with that many legs.
    case impossibleLayout = "impossible-layout"
    /// Nothing says where a byte lies.
    case gap
    /// A byte lies on a disk that is not there, or cannot serve.
    case legMissing = "leg-missing"
    /// A byte has no place on a disk.
    case notWritable = "not-writable"
}
