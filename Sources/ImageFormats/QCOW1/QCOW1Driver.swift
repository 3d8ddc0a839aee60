package import Storage

/// QEMU's first image format, "qcow", version 1: read only.
package enum QCOW1Driver: ReadOnlyDriver, BackedDriver {
    package static var format: ImageFormat { .qcow }

    package static func recognises(head: [UInt8], tail: [UInt8], byteCount: UInt64) -> Bool {
        head.span8.matches(QCOW1Header.magic)
    }

    static func open(
        _ file: any ByteFile, _ options: ImageOpenOptions, chain: ParentChain
    ) throws(StorageError) -> OpenedImage {
        let header = try QCOW1Header(reading: file)
        try header.requireReadable()
        let backing = try header.backingName.map { (name) throws(StorageError) in
            try NamedBacking(layer: "qcow", name: name, format: nil).open(of: file, options, chain: chain)
        }
        let map = ReadingMap(file, QCOW1Tables(file, header: header))
        return OpenedImage(disk: Image(map: map, parent: backing?.disk), info: info(of: file, header))
    }

    package static func describe(_ file: any ByteFile) throws(StorageError) -> ImageInfo {
        info(of: file, try QCOW1Header(reading: file))
    }

    private static func info(of file: any ByteFile, _ header: QCOW1Header) -> ImageInfo {
        var info = ImageInfo(
            format: .qcow, virtualSize: header.diskSize, fileSize: file.byteCount,
            allocatedSize: file.allocatedByteCount, unitSize: header.clusterSize)
        info.isEncrypted = header.encryption != 0
        if let name = header.backingName {
            info.references = [.init(role: "backing file", name: name.displayText)]
        }
        return info
    }

    /// The header and every entry of the tables.
    package static func check(
        _ file: any ByteFile, report: (Finding) -> Void
    ) throws(StorageError) {
        let header: QCOW1Header
        do throws(StorageError) { header = try QCOW1Header(reading: file) } catch {
            guard error.kind == .corrupt else { throw error }
            return report(Finding(error))
        }
        var tables = QCOW1Tables(file, header: header)
        try tables.check(report: report)
    }
}
