package import Storage

extension VHDXDriver {
    /// Headers, region tables, metadata, every table entry, and space that nothing names, as they are once a pending
    /// log is replayed.
    package static func check(
        _ file: any ByteFile, report: (Finding) -> Void
    ) throws(StorageError) {
        let disk: VHDXDisk
        do throws(StorageError) {
            disk = try VHDXDisk(file)
        } catch {
            guard error.kind == .corrupt else { throw error }
            return report(Finding(error))
        }
        for warning in disk.warnings {
            report(Finding(.note, VHDXCode.logPending, warning, structure: "log"))
        }
        try copies(of: disk, report)
        try VHDXMap(disk).reportTable(report)
    }

    /// Headers and region tables come in pairs; one of each is enough to read.
    private static func copies(
        of disk: VHDXDisk, _ report: (Finding) -> Void
    ) throws(StorageError) {
        for offset in VHDXHeader.offsets {
            let bytes = try disk.file.bytes(at: offset, count: VHDXHeader.byteCount)
            guard VHDXHeader(bytes) == nil else { continue }
            report(
                Finding(
                    .note, VHDXCode.noHeader, "one of the two headers is not valid; the next write renews it",
                    structure: "header",
                    offset: offset))
        }
        for offset in VHDXRegions.offsets {
            let bytes = try disk.file.bytes(at: offset, count: VHDXRegions.byteCount)
            guard !bytes.span8.matches(VHDXRegions.signature) || !VHDXChecksum.isRight(bytes, field: 4) else {
                continue
            }
            report(
                Finding(
                    .damage, VHDXCode.noRegionTable,
                    "one of the two region tables is not valid; the other serves", structure: "region table",
                    offset: offset))
        }
    }
}
