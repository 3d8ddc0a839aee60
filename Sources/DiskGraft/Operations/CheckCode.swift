internal import Storage

/// What the check over all layers itself finds; the layers' own findings have their codes.
enum CheckCode: String, LayerCode {
    static let layer = "check"

    case leaksNotRepaired = "leaks-not-repaired"
    case imageWarning = "image-warning"
    case truncatedDevice = "truncated-device"
    case notChecked = "not-checked"
}
