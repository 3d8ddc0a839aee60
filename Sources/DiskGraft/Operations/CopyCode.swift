internal import Storage

/// What keeps a disk from being copied.
enum CopyCode: String, LayerCode {
    static let layer = "conversion"

    case sectorSize = "sector-size"
    case tooLarge = "too-large"
}
