internal import Storage

/// What can be wrong with a swap area.
enum SwapCode: String, LayerCode {
    static let layer = "swap"

    case labelTooLong = "label-too-long"
    case noLabel = "no-label"
}
