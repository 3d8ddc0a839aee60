internal import Conversion
internal import HostIO
public import ImageFormats
internal import Partitions
public import Storage

/// Copies a disk into a new image of any format that can be made.
public struct DiskConversion: Sendable {
    /// How many bytes are done, and of how many.
    public typealias Progress = @Sendable (_ done: UInt64, _ total: UInt64) -> Void

    /// The new image's format; nil: by the suffix of its path.
    public var format: ImageFormat?
    /// The format's own options, by qemu-img's names.
    public var options: [(key: String, value: String)]
    /// Called from worker threads.
    public var progress: Progress?
    /// Threads that read and decode.
    public var workers: Int
    /// Whether a disk of 4096-byte sectors may become one of 512-byte sectors, or the other way round.
    public var ignoresSectorSize = false

    /// Makes a conversion with the given settings.
    public init(
        format: ImageFormat? = nil, options: [(key: String, value: String)] = [], progress: Progress? = nil,
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
            files: HostFiles(), values: options, sectorSize: try sectorSize(of: source, driver, path))
        guard let size = source.byteCount.roundedUp(to: driver.sizeUnit) else {
            throw StorageError(.refused, CopyCode.tooLarge, "the disk is too large", path: path)
        }
        let output = try PendingOutput(
            path, companions: driver.companions(of: path, byteCount: size, options: createOptions),
            protected: protected + source.hostFiles, holding: protected + source.hostFiles)
        do throws(StorageError) {
            if let writer = try driver.encodedWriter(output.path, byteCount: size, options: createOptions) {
                try write(source, to: writer)
                return output
            }
            let image = try driver.create(output.path, byteCount: size, options: createOptions)
            try Converter(source: source, sink: image, progress: progress).run(workers: workers)
            if image.byteCount > source.byteCount { try moveBackupTable(of: source, to: image.disk) }
            return output
        } catch {
            output.discard()
            throw output.named(error)
        }
    }

    /// Writes a disk as encoded units, into a file or wherever else `writer` puts them, and completes it. What `writer` has
    /// when that fails is of no use.
    func write(_ source: any BlockDevice, to writer: any EncodedImageWriter) throws(StorageError) {
        var source = source
        if writer.byteCount > source.byteCount {
            // Nothing is written twice, so the backup table moves before the disk is read.
            let longer = OverlayDevice(try LengthenedDevice(source, byteCount: writer.byteCount))
            try moveBackupTable(of: source, to: longer)
            source = longer
        }
        try Converter(source: source, sink: EncodedImageSink(writer), progress: progress).run(
            workers: workers)
    }

    /// The new disk is longer than the old one: a GPT's backup belongs at its end. Damage of the old one's is kept.
    private func moveBackupTable(
        of source: any BlockDevice, to disk: any WritableBlockDevice
    ) throws(StorageError) {
        let isSound: Bool
        do throws(StorageError) {
            isSound = try GPTRepair.plan(source) == nil
        } catch {
            guard error.isAboutImage else { throw error }
            isSound = false
        }
        guard isSound, let repair = try GPTRepair.plan(disk) else { return }
        try repair.commit(to: disk)
        try disk.flush()
    }

    /// The sectors of the copy. A partition table counts sectors, and says in which where it is a GPT: read with others it
    /// names other places.
    @discardableResult
    func sectorSize(
        of source: any BlockDevice, _ driver: any ImageDriver.Type, _ path: String
    ) throws(StorageError) -> UInt32 {
        let counted = try GPTSectorSize.read(source) ?? source.sectorSize
        let asked = options.last { $0.key == "logical_sector_size" }.flatMap { UInt32($0.value) }
        let wanted = asked ?? counted
        let target = driver.sectorSizes.contains(wanted) ? wanted : 512
        guard target != counted, !ignoresSectorSize else { return target }
        throw StorageError(
            .refused, CopyCode.sectorSize,
            "the disk counts sectors of \(counted) bytes and the copy would have sectors of \(target), so that a guest "
                + "would not find the partitions; make a VHDX of \(counted)-byte sectors",
            path: path, remedies: [.convert(options: ["logical_sector_size=\(counted)"]), .force])
    }

    func targetFormat(for path: String) throws(StorageError) -> ImageFormat {
        if let format { return format }
        guard let format = ImageFormat(suffixOf: path) else {
            throw StorageError(
                .misuse, OutputCode.formatUnknown,
                "its name ends in none of \(ImageFormat.suffixNames); say the format",
                path: path)
        }
        return format
    }
}
