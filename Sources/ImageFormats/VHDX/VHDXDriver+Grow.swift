package import Storage

extension VHDXDriver {
    /// Entries, place of the table and size of the disk go through the log: a power cut leaves the old disk or the
    /// new one. A table that is too short moves to the end of the file, and its old place is used no more.
    package static func grow(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError) {
        guard let map = image.disk.map as? VHDXMap else { return }
        guard byteCount <= VHDXMetadata.sizeLimit else {
            throw .vhdx(
                .refused, .diskSize, "a VHDX has 64 TiB at most, not \(byteCount) bytes", path: map.file.path)
        }
        guard !map.isDifferencing else {
            throw .vhdx(
                .refused, .differencingGrowth,
                "a differencing VHDX is as large as its parent; merge it, or make a copy longer",
                path: map.file.path,
                remedies: [.convert(options: [])])
        }
        // A pending log is replayed, and the headers get new GUIDs.
        try VHDXMap(try VHDXDisk(map.file)).beginWriting()
        var whole = try VHDXDisk(map.file)
        let unit = UInt64(whole.metadata.blockSize)
        if let end = min(map.byteCount.roundedUp(to: unit) ?? 0, byteCount) as UInt64?, end > map.byteCount {
            whole.metadata.byteCount = end
            try Image(map: VHDXMap(whole)).clear(from: map.byteCount)
        }
        let disk = try VHDXDisk(map.file)
        try VHDXMap(disk).grow(disk, to: byteCount)
    }
}
