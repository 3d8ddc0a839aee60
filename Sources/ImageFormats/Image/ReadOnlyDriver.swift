internal import Storage

/// A format that is read, and not made or changed.
protocol ReadOnlyDriver: ImageDriver {}

extension ReadOnlyDriver {
    package static var createOptions: [ImageCreateOption] { [] }

    package static func create(
        _ path: String, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> OpenedImage { throw notMade(path, []) }

    package static func grow(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError) {
        throw notMade(image.disk.map.hostFiles.first?.path, [.convert(options: [])])
    }

    private static func notMade(_ path: String?, _ remedies: [Remedy]) -> StorageError {
        StorageError(
            .unsupported, ImageCode.readOnlyFormat, "images of this format are read, and not made or changed",
            layerName: format.rawValue, path: path, remedies: remedies)
    }
}
