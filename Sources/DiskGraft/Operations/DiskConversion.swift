internal import Conversion
internal import HostIO
internal import ImageFormats
public import Storage

/// Copies a disk into a new image of any format that can be made.
public struct DiskConversion: Sendable {
    /// How many bytes are done, and of how many.
    public typealias Progress = @Sendable (_ done: UInt64, _ total: UInt64) -> Void

    /// The new image's format by name; nil: by the suffix of its path.
    public var format: String?
    /// The format's own options, by qemu-img's names.
    public var options: [(key: String, value: String)]
    /// Called from worker threads.
    public var progress: Progress?
    /// Threads that read and decode.
    public var workers: Int
    /// Whether a disk of 4096-byte sectors may become one of 512-byte sectors, or the other way round (`--force`).
    public var ignoresSectorSize = false

    /// Makes a conversion with the given settings.
    public init(
        format: String? = nil, options: [(key: String, value: String)] = [], progress: Progress? = nil,
        workers: Int = 2
    ) {
        self.format = format
        self.options = options
        self.progress = progress
        self.workers = workers
    }

    /// Makes `path` a copy of `source`. It appears under that name only when it is complete and durable; an
    /// existing file is replaced then. `protected` files are never replaced: `refused`.
    public func run(
        from source: any BlockDevice, to path: String, protected: [any ByteFile] = []
    ) throws(StorageError) {
        let output = try copy(source, to: path, protected: protected)
        try output.publish()
    }

    /// Makes the copy, complete and durable, and leaves it to the caller to publish.
    func copy(
        _ source: any BlockDevice, to path: String, protected: [any ByteFile]
    ) throws(StorageError) -> PendingOutput {
        let driver = try ImageProbe.driver(for: try targetFormat(for: path))
        let createOptions = ImageCreateOptions(
            files: HostFiles(), values: options,
            sectorSize: driver.sectorSizes.contains(source.sectorSize) ? source.sectorSize : 512)
        try checkSectors(of: source, driver, path)
        let output = try PendingOutput(
            path, companions: driver.companions(of: path, options: createOptions),
            protected: protected + source.hostFiles)
        do throws(StorageError) {
            guard let size = source.byteCount.roundedUp(to: driver.sizeUnit) else {
                throw StorageError(.misuse, CopyCode.tooLarge, "the disk is too large")
            }
            let image = try driver.create(output.path, byteCount: size, options: createOptions)
            let converter = try Converter(
                source: source, sink: image, progress: progress)
            try converter.run(workers: workers)
            return output
        } catch {
            output.discard()
            throw error
        }
    }

    /// A partition table counts sectors: read with others it names other places.
    private func checkSectors(
        of source: any BlockDevice, _ driver: any ImageDriver.Type, _ path: String
    ) throws(StorageError) {
        let asked = options.last { $0.key == "logical_sector_size" }.flatMap { UInt32($0.value) }
        let wanted = asked ?? source.sectorSize
        let target = driver.sectorSizes.contains(wanted) ? wanted : 512
        guard target != source.sectorSize, !ignoresSectorSize else { return }
        throw StorageError(
            .refused, CopyCode.sectorSize,
            "the disk has sectors of \(source.sectorSize) bytes and the copy would have \(target), so that its "
                + "partition table would point elsewhere; a VHDX keeps them",
            path: path, remedies: [.force])
    }

    func targetFormat(for path: String) throws(StorageError) -> ImageFormat {
        if let format { return try ImageFormat.named(format) }
        guard let format = ImageFormat(suffixOf: path) else {
            throw StorageError(
                .misuse, OutputCode.formatUnknown,
                "its name ends in none of \(ImageFormat.suffixNames); say the format",
                path: path)
        }
        return format
    }
}
