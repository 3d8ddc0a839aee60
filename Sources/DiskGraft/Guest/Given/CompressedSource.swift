internal import Codecs
internal import HostIO
internal import ImageFormats
internal import Storage

/// A file that is compressed as a whole, by what it begins with: an image, or an archive of a machine, that is read as what
/// it decodes to.
struct CompressedSource {
    private let path: String
    private let codec: Codec

    /// Bytes that a file may decode to.
    private static let limit: UInt64 = 64 << 40

    /// Looks at the file at `path`; nil where it is not compressed.
    init?(_ path: String) throws(StorageError) {
        let head = try HostFile.open(path, locking: .ignore).availableBytes(at: 0, count: 16)
        guard let codec = CompressedFile.codec(of: head) else { return nil }
        self.path = path
        self.codec = codec
    }

    /// What it decodes to. One pass finds its length, and that it is whole.
    func decoded(_ options: ImageOptions) throws(StorageError) -> CompressedFile {
        let directory = options.temporaryDirectory
        let file = try options.hostFiles.open(path, access: .read)
        do throws(StorageError) {
            return try CompressedFile(file, codec, limit: Self.limit, isSalvage: options.salvages) {
                () throws(StorageError) in try HostFile.unnamed(in: directory)
            }
        } catch {
            // Of a plain disk a guest writes the first bytes.
            var error = error
            if error.kind == .corrupt { error.remedies.append(.nameFormat(ImageFormat.raw.rawValue)) }
            throw error
        }
    }

    /// Its name is that of an appliance.
    var isCalledArchive: Bool {
        path.lowercased().hasSuffix(".tgz") || DiskSources.isCalledArchive(path)
            || DiskSources.isCalledArchive(DiskSources.stem(of: path))
    }

    /// What a copy of it is called: the name without the suffix of its compression and of its format.
    func stem(of name: String) -> String { DiskSources.stem(of: DiskSources.stem(of: name)) }
}
