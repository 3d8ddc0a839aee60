internal import ImageFormats
internal import Partitions
internal import Storage
internal import Undo

/// Whether a disk that a change made longer may become as short as it was: a guest that has been at work since may count on the new
/// length without having stored anything there.
enum DiskShortening {
    /// Looks at the image as it is, whose locks the caller holds. Throws `refused`, code "used-since", where a partition, a file
    /// system or what it lies on ends behind `byteCount`, or anything but zeros lies there. `others` are disks of the same guest, which may
    /// have the metadata of a volume group.
    static func require(
        _ path: String, _ options: ImageOptions, among others: [(path: String, options: ImageOptions)] = [],
        to byteCount: UInt64, isCutOff: Bool
    ) throws(StorageError) {
        let opened: OpenedImage
        let layout: DiscoveredVolumes?
        do throws(StorageError) {
            opened = try open(path, options)
        } catch {
            // What a cut left between two states, no guest was started with.
            guard isCutOff, error.kind == .corrupt || error.kind == .unsupported else { throw error }
            return
        }
        let disk = opened.disk
        guard disk.byteCount > byteCount else { return }
        do throws(StorageError) {
            layout = try VolumeDiscovery.discover(disks: [disk], probe: FileSystemRegistry.builtIn.probe)
        } catch {
            guard error.kind == .corrupt || error.kind == .unsupported else { throw error }
            layout = nil
        }
        let reason: String
        var offset: UInt64?
        var isTold = true
        if let entry = layout.flatMap({ DiskShrink.partition(in: $0, behind: byteCount) }) {
            reason = "partition \(entry.number) ends at byte \(entry.byteRange.upperBound), behind"
        } else if let layout,
            let (kind, claim) = try DiskShrink.volume(
                in: layout, among: try volumes(of: others), behind: byteCount)
        {
            reason =
                claim.isTold
                ? "the disk's \(kind.rawValue) has \(claim.byteCount) bytes and ends behind"
                : "the disk's \(kind.rawValue) does not say how long it is and may use what is behind"
            isTold = claim.isTold
        } else if !(isCutOff && opened.info.format == .vhd),
            // Of a fixed VHD the cut may have left the old footer there; what else is there was seen in the file.
            let found = try DiskShrink.firstByte(of: disk, in: byteCount..<disk.byteCount)
        {
            offset = found
            reason = "something that is not zeros lies behind"
        } else {
            return
        }
        throw StorageError(
            .refused, UndoCode.usedSince,
            "\(reason) the end that the disk had before the change (\(byteCount) bytes), so it \(isTold ? "has" : "may have") been used since; "
                + "the change is not taken back", offset: offset, path: path,
            remedies: isCutOff ? [.discardUndo, .forceUndo] : [.forceUndo])
    }

    private static func open(_ path: String, _ options: ImageOptions) throws(StorageError) -> OpenedImage {
        var options = options
        options.verifiesDigests = false
        options.ignoresLocks = true
        return try ImageProbe.open(
            path, format: options.format, options: options.openOptions(.read, unsettled: true))
    }

    /// What lies on the other disks, as far as it can be told.
    private static func volumes(
        of others: [(path: String, options: ImageOptions)]
    ) throws(StorageError) -> [Volume] {
        var found: [Volume] = []
        for (path, options) in others {
            do throws(StorageError) {
                found += try VolumeDiscovery.discover(
                    disks: [try open(path, options).disk], probe: FileSystemRegistry.builtIn.probe
                ).volumes
            } catch {
                guard !error.isCancellation else { throw error }
            }
        }
        return found
    }
}
