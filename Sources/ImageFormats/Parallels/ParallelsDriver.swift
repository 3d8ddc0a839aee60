package import Storage

/// Parallels' and Virtuozzo's expanding image (.hdd, .hds): read only. A disk of several of them is described by
/// `DiskDescriptor.xml`, which is not read.
package enum ParallelsDriver: ReadOnlyDriver {
    package static var format: ImageFormat { .parallels }

    package static func recognises(head: [UInt8], tail: [UInt8], byteCount: UInt64) -> Bool {
        head.span8.matches(ParallelsHeader.magic) || head.span8.matches(ParallelsHeader.extendedMagic)
    }

    package static func open(
        _ file: any ByteFile, options: ImageOpenOptions
    ) throws(StorageError) -> OpenedImage {
        let header = try ParallelsHeader(reading: file)
        let map = ReadingMap(file, ParallelsTable(file, header: header))
        return OpenedImage(disk: Image(map: map), info: info(of: file, header))
    }

    package static func describe(_ file: any ByteFile) throws(StorageError) -> ImageInfo {
        info(of: file, try ParallelsHeader(reading: file))
    }

    private static func info(of file: any ByteFile, _ header: ParallelsHeader) -> ImageInfo {
        var info = ImageInfo(
            format: .parallels, virtualSize: header.diskSize, fileSize: file.byteCount,
            allocatedSize: file.allocatedByteCount, unitSize: header.blockSize)
        info.isDirty = header.isInUse
        if header.isInUse { info.warnings = [Self.notClosed] }
        return info
    }

    private static let notClosed =
        "the image was not closed: what was written last may be missing, and blocks may belong to nothing"

    /// The header and every entry of the table.
    package static func check(
        _ file: any ByteFile, report: (Finding) -> Void
    ) throws(StorageError) {
        let header: ParallelsHeader
        do throws(StorageError) { header = try ParallelsHeader(reading: file) } catch {
            guard error.kind == .corrupt else { throw error }
            return report(Finding(error))
        }
        if header.isInUse { report(Finding(.note, ParallelsCode.notClosed, notClosed)) }
        var table = ParallelsTable(file, header: header)
        try table.check(report: report)
    }
}
