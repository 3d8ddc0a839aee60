internal import Codecs
internal import Storage

extension QCOW2Driver {
    /// What the header says, for people.
    static func info(of file: any ByteFile, header: QCOW2Header) -> ImageInfo {
        var info = ImageInfo(
            format: .qcow2, variant: "v\(header.version)", virtualSize: header.virtualSize,
            fileSize: file.byteCount, allocatedSize: file.allocatedByteCount, unitSize: header.clusterSize)
        if let name = header.backingName {
            info.references.append(.init(role: "backing file", name: name.displayText))
        }
        if header.incompatible.contains(.dataFile) {
            let name = header.extensions.dataFile ?? []
            info.references.append(.init(role: "data file", name: name.displayText))
        }
        info.isDirty = header.incompatible.contains(.dirty)
        info.isMarkedCorrupt = header.incompatible.contains(.corrupt)
        info.isEncrypted = header.cryptMethod != 0
        info.snapshots = (try? snapshots(in: file, header)) ?? []
        info.details = details(of: header)
        info.warnings = warnings(of: header)
        return info
    }

    private static func details(of header: QCOW2Header) -> [ImageInfo.Detail] {
        var details: [ImageInfo.Detail] = [
            .init("compat", header.version == 2 ? "0.10" : "1.1"),
            .init("cluster size", "\(header.clusterSize)"),
            .init("refcount bits", "\(1 << header.refcountOrder)"),
            .init("compression type", header.codec == .zstd ? "zstd" : "zlib"),
        ]
        if header.backingName != nil, let format = header.extensions.backingFormat {
            details.append(.init("backing format", format.displayText))
        }
        if header.compatible & 1 != 0 { details.append(.init("lazy refcounts", "true")) }
        if header.incompatible.contains(.extendedL2) { details.append(.init("extended L2", "true")) }
        if header.cryptMethod != 0 {
            details.append(.init("encryption", header.cryptMethod == 1 ? "AES" : "LUKS"))
        }
        if header.snapshotCount > 0 { details.append(.init("snapshots", "\(header.snapshotCount)")) }
        if header.extensions.bitmapCount > 0 {
            details.append(.init("bitmaps", "\(header.extensions.bitmapCount)"))
        }
        return details
    }

    private static func warnings(of header: QCOW2Header) -> [String] {
        var warnings: [String] = []
        if header.incompatible.contains(.corrupt) {
            warnings.append(
                "the image is marked corrupt; what is read may be wrong, and it cannot be written")
        }
        if header.incompatible.contains(.dirty) {
            warnings.append(
                "the image was not closed; it can be read, and written after qemu-img check -r all")
        }
        if header.snapshotCount > 0 {
            warnings.append("the image holds internal snapshots; only its current state is read")
        }
        if header.extensions.bitmapCount > 0, header.autoclear & 1 != 0 {
            warnings.append(
                "the image holds dirty bitmaps for backups; writing to it makes them invalid, "
                    + "and the next backup must be a full one")
        }
        return warnings
    }
}
