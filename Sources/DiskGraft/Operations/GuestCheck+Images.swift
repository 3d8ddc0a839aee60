internal import ImageFormats
internal import Storage

extension GuestCheck {
    /// Compressed units that are told of one by one.
    private static let damagedUnitLimit = 1000

    /// Walks every map from end to end: entries that point nowhere are errors there, and compressed units that do not
    /// decode.
    mutating func checkImages(_ guest: Guest) throws(StorageError) {
        for image in guest.images {
            for warning in image.opened.info.warnings {
                add(
                    Finding(.warning, CheckCode.imageWarning, warning, layerName: image.format.rawValue),
                    image: image.path)
            }
            do throws(StorageError) {
                var position: UInt64 = 0
                var damagedUnits = 0
                while position < image.byteCount, damagedUnits < Self.damagedUnitLimit {
                    try Cancellation.check()
                    let extent = try image.opened.disk.nextExtent(at: position)
                    if case .compressed = extent.kind, let error = try Self.damage(of: image, at: position) {
                        add(error, image: image.path, volume: nil)
                        damagedUnits += 1
                    }
                    position = max(extent.range.upperBound, position + 1)
                }
            } catch {
                guard error.isAboutImage else { throw error }
                add(error, image: image.path, volume: nil)
            }
        }
    }

    /// Why the compressed unit at `position` does not decode; nil when it does. One byte of it takes all of it.
    private static func damage(of image: DiskImage, at position: UInt64) throws(StorageError) -> StorageError?
    {
        do throws(StorageError) {
            _ = try image.device.bytes(at: position, count: 1)
            return nil
        } catch {
            guard error.kind == .corrupt else { throw error }
            return error
        }
    }
}
