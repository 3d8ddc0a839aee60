internal import HostIO
public import ImageFormats
public import Storage

/// How large a file a conversion makes, without making it. Encodes as qemu-img measure prints it.
public struct DiskMeasurement: Encodable, Equatable, Sendable {
    /// Bytes of the file that holds the disk as it is.
    public var required: UInt64
    /// And when every byte of the disk has been written.
    public var fullyAllocated: UInt64
    /// Bytes of the dirty bitmaps that could be copied along; nil where the formats have none. None are copied here.
    public var bitmaps: UInt64?

    private enum CodingKeys: String, CodingKey {
        case required, bitmaps
        case fullyAllocated = "fully-allocated"
    }

    /// For a disk of `byteCount` bytes without contents.
    public static func run(
        byteCount: UInt64, format: ImageFormat = .raw, options: [(key: String, value: String)] = []
    ) throws(StorageError) -> DiskMeasurement {
        try measure(nil, byteCount, format, options)
    }

    /// For the disk of an image.
    public static func run(
        _ image: DiskImage, format: ImageFormat = .raw, options: [(key: String, value: String)] = []
    ) throws(StorageError) -> DiskMeasurement {
        var result = try measure(image.device, image.byteCount, format, options)
        let isOld = options.last { $0.key == "compat" }.map { ["0.10", "v2"].contains($0.value) } ?? false
        if image.opened.info.format == .qcow2, image.opened.info.variant == "v3",
            format == .qcow2, !isOld
        {
            result.bitmaps = 0
        }
        return result
    }

    private static func measure(
        _ disk: (any BlockDevice)?, _ byteCount: UInt64, _ format: ImageFormat,
        _ options: [(key: String, value: String)]
    ) throws(StorageError) -> DiskMeasurement {
        let measured = try ImageProbe.driver(for: format).measure(
            disk, byteCount: byteCount, options: ImageCreateOptions(files: HostFiles(), values: options))
        return DiskMeasurement(required: measured.required, fullyAllocated: measured.fullyAllocated)
    }
}
