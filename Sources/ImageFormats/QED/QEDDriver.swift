package import Storage

/// QEMU's enhanced disk format, QED: read only.
package enum QEDDriver: ReadOnlyDriver, BackedDriver {
    package static var format: ImageFormat { .qed }

    package static func recognises(head: [UInt8], tail: [UInt8], byteCount: UInt64) -> Bool {
        head.span8.matches(QEDHeader.magic)
    }

    static func open(
        _ file: any ByteFile, _ options: ImageOpenOptions, chain: ParentChain
    ) throws(StorageError) -> OpenedImage {
        let header = try QEDHeader(reading: file)
        let backing = try header.backingName.map { (name) throws(StorageError) in
            try NamedBacking(layer: "qed", name: name, format: header.hasRawBacking ? .raw : nil).open(
                of: file, options, chain: chain)
        }
        let map = ReadingMap(file, QEDTables(file, header: header))
        return OpenedImage(disk: Image(map: map, parent: backing?.disk), info: info(of: file, header))
    }

    package static func describe(_ file: any ByteFile) throws(StorageError) -> ImageInfo {
        info(of: file, try QEDHeader(reading: file))
    }

    private static func info(of file: any ByteFile, _ header: QEDHeader) -> ImageInfo {
        var info = ImageInfo(
            format: .qed, virtualSize: header.diskSize, fileSize: file.byteCount,
            allocatedSize: file.allocatedByteCount, unitSize: header.clusterSize)
        info.isDirty = header.needsCheck
        if let name = header.backingName {
            info.references = [.init(role: "backing file", name: name.displayText)]
            if header.hasRawBacking { info.details = [.init("backing format", "raw")] }
        }
        return info
    }

    /// The header and every entry of the tables.
    package static func check(
        _ file: any ByteFile, report: (Finding) -> Void
    ) throws(StorageError) {
        let header: QEDHeader
        do throws(StorageError) { header = try QEDHeader(reading: file) } catch {
            guard error.kind == .corrupt else { throw error }
            return report(Finding(error))
        }
        if header.needsCheck {
            report(
                Finding(
                    .note, QEDCode.notClosed, "the image was not closed: clusters may belong to nothing"))
        }
        var tables = QEDTables(file, header: header)
        try tables.check(report: report)
    }
}
