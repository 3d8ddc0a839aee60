/// What can be wrong with reading or writing any device.
public enum DeviceCode: String, LayerCode {
    /// The name of the layer.
    public static let layer = "device"

    /// It is only read.
    case readOnly = "read-only"
    /// A position behind its end.
    case outOfRange = "out-of-range"
    /// Disks of different sectors are to be one.
    case sectorSizes = "sector-sizes"
    /// The changes do not fit into the memory that they may take.
    case overlayFull = "overlay-full"
}
