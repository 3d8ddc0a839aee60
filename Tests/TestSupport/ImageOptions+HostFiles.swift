package import HostIO
package import ImageFormats
package import Storage
internal import Undo

// Images by path, as the composition root opens them: files of the host, which can be recorded where they are written.

extension ImageOpenOptions {
    /// Options for images among the host's files.
    package init(
        access: FileAccess = .read, locking: HostFile.Locking = .honour,
        references: ReferencePolicy = .refuse, vhdSize: VHDSizeRule = .byCreator, isSalvage: Bool = false
    ) {
        self.init(
            files: RecordedFiles(HostFiles(locking: locking)), access: access, references: references,
            vhdSize: vhdSize, isSalvage: isSalvage)
    }
}

extension ImageCreateOptions {
    /// Options for images among the host's files.
    package init(
        values: [(key: String, value: String)] = [], sectorSize: UInt32 = 512, parent: String? = nil,
        finalPath: String? = nil
    ) {
        self.init(
            files: RecordedFiles(), values: values, sectorSize: sectorSize, parent: parent,
            finalPath: finalPath)
    }
}

extension ImageProbe {
    /// Opens an image for reading.
    package static func open(
        _ path: String, format: ImageFormat? = nil
    ) throws(StorageError) -> OpenedImage {
        try open(path, format: format, options: ImageOpenOptions())
    }

    /// Checks the tables of an image.
    package static func check(
        _ path: String, format: ImageFormat? = nil, locking: HostFile.Locking = .honour,
        report: (Finding) -> Void
    ) throws(StorageError) {
        try check(try HostFile.open(path, locking: locking), format: format, report: report)
    }

    /// What an image says of itself.
    package static func describe(
        _ path: String, format: ImageFormat? = nil, locking: HostFile.Locking = .honour
    ) throws(StorageError) -> ImageInfo {
        try describe(try HostFile.open(path, locking: locking), format: format)
    }
}
