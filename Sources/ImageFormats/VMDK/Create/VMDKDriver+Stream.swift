package import Storage

extension VMDKDriver {
    /// A stream is written from its first byte to its last.
    package static func encodedWriter(
        _ path: String, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> (any EncodedImageWriter)? {
        let known = try VMDKCreateOptions(options)
        guard known.subformat == .streamOptimized else { return nil }
        _ = try checkedSize(byteCount, of: path, options)
        let file = try options.files.create(path)
        do throws(StorageError) {
            return try VMDKStreamWriter(
                to: FileOutput(file), name: path, byteCount: byteCount, known, options)
        } catch {
            try? options.files.remove(path)
            throw error
        }
    }

    /// A stream of a disk without contents. Nothing can be written into it.
    static func createEmptyStream(
        _ path: String, byteCount: UInt64, options: VMDKCreateOptions, in files: any ByteFileStore
    ) throws(StorageError) -> OpenedImage {
        let file = try files.create(path)
        do throws(StorageError) {
            try VMDKStreamWriter(
                to: FileOutput(file), name: path, byteCount: byteCount, options,
                ImageCreateOptions(files: files)
            ).finish()
            return try open(file, options: ImageOpenOptions(files: NoOtherFiles()))
        } catch {
            try? files.remove(path)
            throw error
        }
    }
}
