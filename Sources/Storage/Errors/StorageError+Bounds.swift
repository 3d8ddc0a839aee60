extension StorageError {
    fileprivate static let memoryBound = "memory-bound"

    /// An image asks for more memory than its command may take, whatever it holds: said before anything is allocated.
    public static func memoryBound(
        _ layer: String, _ message: String, structure: String? = nil, offset: UInt64? = nil
    ) -> StorageError {
        StorageError(
            .refused, layer: layer, code: memoryBound, message, structure: structure, offset: offset)
    }

    /// A directory that is not listed, because the names would not fit.
    public static func tooManyNames(_ layer: String, in directory: FileID, limit: Int) -> StorageError {
        memoryBound(
            layer, "directory \(directory) has more than \(limit) names, more than are listed",
            structure: "directory")
    }

    /// Whether it says something of the image, and may be one finding among others; not of the machine, of a request to
    /// stop, or of our own bounds.
    public var isAboutImage: Bool { kind != .io && !isCancellation && !isOfBounds }

    /// More than is read here: our own bounds, not the image's fault.
    public var isOfBounds: Bool { code == Self.memoryBound }
}

extension Finding {
    /// Something was not checked, because it would take more than memory should hold.
    public var isOfBounds: Bool { code == StorageError.memoryBound }
}

extension DirectoryEntry {
    /// The names of one directory that are held at once.
    public static var listLimit: Int { 4 << 20 }
}
