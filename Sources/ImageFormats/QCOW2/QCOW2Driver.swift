package import Storage

/// QEMU's image format, versions 2 and 3.
package enum QCOW2Driver: BackedDriver {
    package static var format: ImageFormat { .qcow2 }
    package static var repairs: [Finding.Repair] { [.leaks] }
    package static var createOptions: [ImageCreateOption] { QCOW2CreateOptions.all }
    package static var makesChildren: Bool { true }
    package static var storesParentPath: Bool { true }

    /// By the magic number; version 1, which shares it, is another format.
    package static func recognises(head: [UInt8], tail: [UInt8], byteCount: UInt64) -> Bool {
        guard head.count >= 8, head.span8.matches(QCOW2Header.magic) else { return false }
        return head.big(QCOW2Header.Field.version, as: UInt32.self) != 1
    }

    static func open(
        _ file: any ByteFile, _ options: ImageOpenOptions, chain: ParentChain
    ) throws(StorageError) -> OpenedImage {
        let header = try QCOW2Header(reading: file)
        try header.requireReadable()
        if options.access == .write { try header.requireWritable() }
        if !options.isSalvage { try header.requireL1(in: file) }
        let backing = try header.backingName.map { (name) throws(StorageError) in
            try openBacking(name, of: file, header, options, chain: chain)
        }
        let map = QCOW2Map(file: file, header: header, isSalvage: options.isSalvage)
        let info = info(of: file, header: header)
        return OpenedImage(disk: Image(map: map, parent: backing?.disk), info: info)
    }

    package static func describe(_ file: any ByteFile) throws(StorageError) -> ImageInfo {
        info(of: file, header: try QCOW2Header(reading: file))
    }
}
