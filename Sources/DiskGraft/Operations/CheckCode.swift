internal import Storage

/// What is found by looking at all layers together.
enum CheckCode: String, LayerCode {
    static var layer: String { "volume" }

    /// What opening an image warns of.
    case imageWarning = "image-warning"
    /// A file system is longer than its device.
    case truncatedDevice = "truncated-device"
    /// Contents that no driver looks into.
    case notChecked = "not-checked"
    /// The format has no safe way to give space back.
    case leaksNotRepaired = "leaks-not-repaired"
}
