internal import Glibc
internal import HostIO
public import ImageFormats
public import Storage
internal import Undo

/// Makes an empty disk image, or a child of a given parent.
public struct DiskCreation: Sendable {
    /// The format; nil: by the suffix of the path.
    public var format: ImageFormat?
    /// The format's own options, by qemu-img's names.
    public var options: [(key: String, value: String)]
    /// The image that the new one is a child of: a path from the new image's directory, as qemu-img takes it, or from the
    /// working directory.
    public var parent: String?
    /// The parent's format; nil: by probing.
    public var parentFormat: ImageFormat?
    /// Whether to name the parent without looking at it, there or not.
    public var trustsParent = false

    /// An image that was made.
    public struct Made: Sendable {
        /// qemu's name of its format.
        public var format: String
        /// Bytes of its disk.
        public var byteCount: UInt64
    }

    /// Makes a request.
    public init(
        format: ImageFormat? = nil, options: [(key: String, value: String)] = [], parent: String? = nil
    ) {
        self.format = format
        self.options = options
        self.parent = parent
    }

    /// Makes `path` with a disk of `byteCount` bytes, rounded up to whole sectors; nil: the parent's size. The file appears
    /// complete. Gives what was made.
    @discardableResult
    public func run(_ path: String, byteCount: UInt64?) throws(StorageError) -> Made {
        let driver = try ImageProbe.driver(for: try DiskConversion(format: format).targetFormat(for: path))
        guard byteCount != nil || (parent != nil && !trustsParent) else {
            throw StorageError(.misuse, DiskCode.noSize, "a size is needed", path: path)
        }
        guard let size = (byteCount ?? 0).roundedUp(to: max(driver.sizeUnit, 512)) else {
            throw Self.tooLarge(path)
        }
        var createOptions = ImageCreateOptions(files: SettledFiles(HostFiles()), values: options)
        if let parent { try name(parent, of: path, driver, &createOptions) }
        // A child of a half changed image would show what was never there. Not every parent is opened.
        if let parent = createOptions.parent, HostDirectory.exists(parent) {
            try UndoRecord.requireSettled(parent)
        }
        if let parent = createOptions.parent, HostDirectory.isSame(parent, path) {
            throw PendingOutput.isTheParent(path)
        }
        // Whoever opens the child would have to guess.
        guard !trustsParent || parent == nil || parentFormat != nil else {
            throw StorageError(
                .misuse, DiskCode.parentFormat,
                "the parent is not looked at, so its format has to be given",
                layerName: driver.format.rawValue, path: path)
        }
        let output = try PendingOutput(
            path, companions: driver.companions(of: path, byteCount: size, options: createOptions),
            protected: [])
        createOptions.finalPath = output.finalPath
        do throws(StorageError) {
            let image = try driver.create(output.path, byteCount: size, options: createOptions)
            try output.requireApart(from: image.disk.hostFiles)
            try image.disk.flush()
            try output.publish()
            return Made(format: driver.format.qemuName, byteCount: image.disk.byteCount)
        } catch {
            output.discard()
            // The host's own limit of a file is one of sizes as those of the formats are.
            throw error.errno == EFBIG ? Self.tooLarge(path) : output.named(error)
        }
    }

    private static func tooLarge(_ path: String) -> StorageError {
        StorageError(.refused, DiskCode.tooLarge, "so large a disk cannot be", path: path)
    }

    private func name(
        _ parent: String, of path: String, _ driver: any ImageDriver.Type, _ options: inout ImageCreateOptions
    ) throws(StorageError) {
        guard driver.makesChildren else {
            throw StorageError(
                .unsupported, DiskCode.noChildren,
                "children of another image are not made in this format here; qcow2, VHD, VHDX, VDI and VMDK can be",
                layerName: driver.format.rawValue, path: path)
        }
        options.parentFormat = parentFormat
        options.trustsParent = trustsParent
        if driver.format == .qcow2 {
            (options.parent, options.parentName) = try place(of: parent, from: path)
            return
        }
        // Of the others none stores what kind of disk the parent is.
        if let format = options.parentFormat, format != driver.format {
            throw StorageError(
                .misuse, DiskCode.parentFormat,
                "a child of this format has a parent of the same, not of \(format.rawValue)",
                layerName: driver.format.rawValue, path: path)
        }
        guard !trustsParent else {
            throw StorageError(
                .misuse, DiskCode.parentMustBeRead,
                "a child of this format knows its parent by an identifier, so the parent has to be read",
                layerName: driver.format.rawValue, path: path)
        }
        let place = try place(of: parent, from: path)
        options.parent = place.path
        if driver.storesParentPath { options.parentName = place.stored }
    }

    /// The parent's absolute path, and what to store of it: the caller's own words where they lead from the new image to it.
    private func place(
        of parent: String, from path: String
    ) throws(StorageError) -> (path: String, stored: String?) {
        let here = HostDirectory.absolutePath(parent)
        guard parent.utf8.first != UInt8(ascii: "/") else { return (here, parent) }
        let beside = HostDirectory.absolutePath(HostPath.directory(of: path) + "/" + parent)
        guard let found = HostDirectory.identity(of: beside) else {
            if !trustsParent, HostDirectory.exists(here) { return (here, nil) }
            return (trustsParent ? beside : here, parent)
        }
        if let other = HostDirectory.identity(of: here), other != found {
            throw StorageError(
                .refused, DiskCode.parentAmbiguous,
                "means two files, \(beside.hostBytes.shellText) and \(here.hostBytes.shellText); give the parent's whole path",
                path: parent)
        }
        return (beside, parent)
    }
}
