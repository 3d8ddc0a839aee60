internal import ImageFormats
internal import Partitions
internal import Storage
internal import Undo

/// Whether a disk that a change made longer may become as short as it was: a guest that has been at work since may count on the new
/// length without having stored anything there.
enum DiskShortening {
    /// Looks at the image as it is, whose locks the caller holds. Throws `refused`, code "used-since", where a partition, a file
    /// system or what it lies on ends behind `byteCount`, or anything but zeros lies there.
    static func require(
        _ path: String, _ options: ImageOptions, to byteCount: UInt64, isCutOff: Bool
    ) throws(StorageError) {
        var options = options
        options.verifiesDigests = false
        options.ignoresLocks = true
        let opened: OpenedImage
        let layout: DiscoveredVolumes?
        do throws(StorageError) {
            opened = try ImageProbe.open(
                path, format: options.format, options: options.openOptions(.read, unsettled: true))
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
        if let entry = layout.flatMap({ DiskShrink.partition(in: $0, behind: byteCount) }) {
            reason = "partition \(entry.number) ends at byte \(entry.byteRange.upperBound), behind"
        } else if let layout, let volume = try volume(in: layout, behind: byteCount) {
            reason = "the disk's \(volume.kind) has \(volume.byteCount) bytes and ends behind"
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
            "\(reason) the end that the disk had before the change (\(byteCount) bytes), so it has been used since; the change is not taken "
                + "back", offset: offset, path: path,
            remedies: isCutOff ? [.discardUndo, .forceUndo] : [.forceUndo])
    }

    /// What takes the whole disk and says that it is longer than `end`, and how long.
    private static func volume(
        in layout: DiscoveredVolumes, behind end: UInt64
    ) throws(StorageError) -> (kind: String, byteCount: UInt64)? {
        for volume in layout.volumes {
            guard case .wholeDisk = volume.location else { continue }
            let claims = max(
                volume.identity.deviceByteCount ?? 0, try DeviceClaim.byteCount(of: volume) ?? 0)
            if claims > end { return (volume.identity.kind.rawValue, claims) }
        }
        return nil
    }
}
