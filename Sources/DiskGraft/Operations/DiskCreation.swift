internal import HostIO
internal import ImageFormats
public import Storage

/// Makes an empty disk image, or a child of a given parent.
public struct DiskCreation: Sendable {
    /// The format by name; nil: by the suffix of the path.
    public var format: String?
    /// The format's own options, by qemu-img's names.
    public var options: [(key: String, value: String)]
    /// The image that the new one is a child of.
    public var parent: String?

    /// Makes a request.
    public init(format: String? = nil, options: [(key: String, value: String)] = [], parent: String? = nil) {
        self.format = format
        self.options = options
        self.parent = parent
    }

    /// Makes `path` with a disk of `byteCount` bytes; nil: the parent's size. The file appears complete.
    public func run(_ path: String, byteCount: UInt64?) throws(StorageError) {
        let driver = try ImageProbe.driver(for: try DiskConversion(format: format).targetFormat(for: path))
        guard byteCount != nil || parent != nil else {
            throw StorageError(.misuse, DiskCode.noSize, "a size is needed", path: path)
        }
        guard parent == nil || driver.makesChildren else {
            throw StorageError(
                .unsupported, DiskCode.noChildren,
                "children of another image are not made in this format here; VHD, VHDX and VDI can be",
                layerName: driver.format.rawValue, path: path)
        }
        var createOptions = ImageCreateOptions(files: HostFiles(), values: options)
        if let parent { createOptions.parent = HostDirectory.absolutePath(parent) }
        let output = try PendingOutput(
            path, companions: driver.companions(of: path, options: createOptions), protected: [])
        createOptions.finalPath = output.finalPath
        do throws(StorageError) {
            let image = try driver.create(output.path, byteCount: byteCount ?? 0, options: createOptions)
            try image.disk.flush()
            try output.publish()
        } catch {
            output.discard()
            throw error
        }
    }
}
