package import Storage
internal import Synchronization

/// A plain copy of the disk: guest offset equals host offset. Holes are told by SEEK_DATA and SEEK_HOLE.
package enum RawDriver: ImageDriver {
    package static var format: ImageFormat { .raw }
    package static var sizeUnit: UInt64 { 1 }
    /// There is nothing to leak.
    package static var repairs: [Finding.Repair] { [.leaks] }
    /// It says nothing of sectors: whoever attaches the file does.
    package static var sectorSizes: [UInt32] { [512, 4096] }

    package static var createOptions: [ImageCreateOption] {
        [ImageCreateOption("preallocation", "off; nothing else is built")]
    }

    /// Never: raw is what is left when nothing else matches.
    package static func recognises(head: [UInt8], tail: [UInt8], byteCount: UInt64) -> Bool { false }

    package static func open(
        _ file: any ByteFile, options: ImageOpenOptions
    ) throws(StorageError) -> OpenedImage {
        guard file.byteCount > 0 else {
            throw StorageError(
                .corrupt, ImageCode.empty, "the file is empty", layerName: format.rawValue, path: file.path)
        }
        let map = RawMap(file)
        let info = ImageInfo(
            format: .raw, virtualSize: map.byteCount, fileSize: file.byteCount,
            allocatedSize: file.allocatedByteCount, sectorSize: file.sectorSize)
        return OpenedImage(disk: Image(map: map), info: info)
    }

    package static func create(
        _ path: String, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> OpenedImage {
        try options.check(known: createOptions.map(\.name), format: .raw)
        try options.requireNoPreallocation(.raw)
        let file = try options.files.create(path)
        try file.truncate(to: byteCount)
        let map = RawMap(file)
        let info = ImageInfo(
            format: .raw, virtualSize: byteCount, fileSize: byteCount, sectorSize: file.sectorSize)
        return OpenedImage(disk: Image(map: map), info: info)
    }
}

/// The map of a raw file, whose size is fixed when it is opened.
final class RawMap: WritableImageMap {
    private let file: any ByteFile
    /// The run of data found last; empty from the first write on. Asking the host anew costs more than a small read.
    private let known = Mutex<Range<UInt64>?>(0..<0)
    let byteCount: UInt64
    var sectorSize: UInt32 { file.sectorSize }
    var hostFiles: [any ByteFile] { [file] }

    init(_ file: any ByteFile) {
        self.file = file
        byteCount = file.byteCount
    }

    func extent(at offset: UInt64) throws(StorageError) -> Extent {
        if let run = known.withLock({ $0 }), run.contains(offset) {
            return Extent(range: offset..<run.upperBound, kind: .plain(file: 0, offset: offset))
        }
        let run = try file.nextDataOrHole(at: offset)
        let end = max(min(run.end, byteCount), offset + 1)
        if run.isData { known.withLock { $0 = $0 == nil ? nil : offset..<end } }
        return Extent(range: offset..<end, kind: run.isData ? .plain(file: 0, offset: offset) : .zero)
    }

    /// A small read finds the zeros of a hole sooner than the hole.
    func extent(forReading count: Int, at offset: UInt64) throws(StorageError) -> Extent {
        guard count <= Self.smallRead else { return try extent(at: offset) }
        return Extent(range: offset..<byteCount, kind: .plain(file: 0, offset: offset))
    }

    /// In bytes.
    private static let smallRead = 64 << 10

    func beginWriting() throws(StorageError) { known.withLock { $0 = nil } }

    func prepareWriting(at offset: UInt64) throws(StorageError) -> WriteTarget {
        .inPlace(file: 0, offset: offset, end: byteCount)
    }

    func allocate(_ range: Range<UInt64>) throws(StorageError) -> Allocation {
        Allocation(range: range, file: 0, offset: range.lowerBound)
    }

    func commit() throws(StorageError) { try file.flush() }
}

extension RawDriver {
    /// The file's length is the disk's: one step, which a power cut leaves done or not done.
    package static func grow(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError) {
        for file in image.disk.map.hostFiles {
            try file.truncate(to: byteCount)
            try file.flush()
        }
    }
}

extension RawDriver {
    package static var canShrink: Bool { true }

    /// What lies behind the new end is in the undo record of whoever changes the file.
    package static func shrink(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError) {
        try grow(image, to: byteCount)
    }

    /// Holes count, as they do for qemu.
    package static func measure(
        _ disk: (any BlockDevice)?, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> ImageMeasure {
        try options.check(known: createOptions.map(\.name), format: .raw)
        let size = (disk?.byteCount ?? byteCount).roundedUp(to: 512) ?? byteCount
        return ImageMeasure(required: size, fullyAllocated: size)
    }
}
