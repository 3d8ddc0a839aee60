internal import Storage

extension QCOW2Driver {
    /// Opens the file that an overlay names, with what is behind it.
    static func openBacking(
        _ name: [UInt8], of file: any ByteFile, _ header: QCOW2Header, _ options: ImageOpenOptions,
        chain: ParentChain
    ) throws(StorageError) -> OpenedImage {
        var format: ImageFormat?
        if let stored = header.extensions.backingFormat {
            format = ImageFormat(name: String(decoding: stored, as: UTF8.self))
            guard format != nil else {
                throw .qcow2(
                    .backingFormat, "the backing file's format \"\(stored.displayText)\" is not built",
                    structure: "header extension")
            }
        }
        return try NamedBacking(layer: "qcow2", name: name, format: format).open(
            of: file, options, chain: chain)
    }
}
