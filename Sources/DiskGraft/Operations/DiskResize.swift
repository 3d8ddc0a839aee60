internal import ImageFormats
internal import Partitions
public import Storage
internal import Undo

/// Makes the guest's disk in an image longer, or shorter where nothing lives behind the new end, in place and undoably.
public enum DiskResize {
    /// The size that is wanted.
    public enum Size: Equatable, Sendable {
        /// So many bytes.
        case to(UInt64)
        /// So many bytes more.
        case by(UInt64)
        /// So many bytes less.
        case less(UInt64)
    }

    /// What was done.
    public struct Result: Equatable, Sendable {
        /// The disk's size in bytes before.
        public var oldSize: UInt64
        /// And now, a whole number of sectors.
        public var newSize: UInt64
        /// What a user should know: what has to be done inside the disk, what breaks elsewhere.
        public var notes: [String]
        /// The GPT's backup lies where the disk used to end.
        public var hasBackupTableInside = false
    }

    /// Makes the disk in the image at `path` longer; the new bytes read as zeros. The size is a whole number of
    /// sectors; of a raw image it is rounded up to one. The image has to be opened with what it names, as for `patch`.
    ///
    /// Throws `refused` for what would lose or show bytes, and for sizes beyond the format's limit; nothing is
    /// written then. An undo record lies beside the image afterwards.
    ///
    /// With `mayShrink` the disk may become shorter too, where nothing lives behind the new end: no partition and no file
    /// system reaches there, and but for the GPT's backup, which moves, all of it is zeros.
    public static func run(
        _ path: String, _ size: Size, options: ImageOptions = ImageOptions(), mayShrink: Bool = false
    ) throws(StorageError) -> Result {
        var result = try change(path, size, options, mayShrink: mayShrink)
        guard result.newSize != result.oldSize else { return result }
        // The disk is changed: what is left to say of it is short.
        return try Cancellation.shielding { () throws(StorageError) in
            try verify(&result, path, options)
            return result
        }
    }

    private static func verify(
        _ result: inout Result, _ path: String, _ options: ImageOptions
    ) throws(StorageError) {
        let disk = try DiskImage.open(path, options: options)
        guard disk.byteCount == result.newSize else {
            throw StorageError(
                .io, DiskCode.notResized,
                "was changed and does not show the new size", path: path, remedies: [.undo])
        }
        // A table that cannot be mended is told by `check`; here only what the new size displaced counts.
        let repair = try? GPTRepair.plan(disk.device)
        result.hasBackupTableInside = repair != nil
    }

    private static func change(
        _ path: String, _ size: Size, _ options: ImageOptions, mayShrink: Bool
    ) throws(StorageError) -> Result {
        let image = try DiskImage.open(path, options: options, forWriting: true)
        let old = image.byteCount
        let wanted: UInt64? =
            switch size {
            case .to(let bytes): bytes
            case .by(let bytes): old +? bytes
            case .less(let bytes): bytes < old ? old - bytes : nil
            }
        guard let new = wanted?.roundedUp(to: UInt64(max(image.opened.info.sectorSize, 512))) else {
            throw StorageError(
                .refused, DiskCode.tooLarge, "a disk of that size cannot be", path: path)
        }
        // A raw file may end anywhere; other formats count sectors.
        guard image.format == .raw || wanted == new else {
            throw StorageError(
                .misuse, DiskCode.noWholeSectors, "a disk is a whole number of sectors of 512 bytes",
                path: path)
        }
        guard new != old else { return Result(oldSize: old, newSize: old, notes: []) }
        let transaction = try HostTransaction(
            image.opened.disk.map.hostFiles.filter { $0.access == .write }, records: image.records,
            diskLengthBefore: new > old ? old : nil)
        do throws(StorageError) {
            if new < old, mayShrink {
                try DiskShrink.run(image, to: new)
            } else {
                try ImageProbe.grow(image.opened, to: new)
            }
        } catch {
            throw transaction.rollBack(after: error).inFile(path)
        }
        try transaction.commit()
        return Result(oldSize: old, newSize: new, notes: image.opened.info.warnings + image.recordNotes)
    }
}
