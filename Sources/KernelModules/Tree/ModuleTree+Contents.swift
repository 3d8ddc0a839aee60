package import Storage

extension ModuleTree {
    /// The bytes of a module's file as they are, which a signature may lie over. Throws `corrupt` when it is not there.
    package func bytes(of module: KernelModule) throws(StorageError) -> [UInt8] {
        guard let path = path(of: module.path),
            let bytes = try store.contents(of: path, limit: ModuleContents.decodedLimit)
        else { throw absent(module) }
        return bytes
    }

    /// The object in a module's file, decoded where it is compressed: what a loader takes that knows no compression.
    /// `KernelModule.decodedPath` is its place.
    package func decodedBytes(of module: KernelModule) throws(StorageError) -> [UInt8] {
        guard let path = path(of: module.path), let contents = try ModuleContents(path, in: store),
            let count = Int(exactly: contents.byteCount), count <= ModuleContents.decodedLimit,
            let bytes = try contents.bytes(at: 0, count: count)
        else { throw absent(module) }
        return bytes
    }

    func absent(_ module: KernelModule) -> StorageError {
        .modules(.corrupt, .noFile, "the file of module \(module.name) is not there", path: module.path)
    }
}

extension KernelModule {
    /// The path without what tells how the file is compressed.
    package var decodedPath: String {
        guard let compression = ModuleName.compression(ofFile: path) else { return path }
        return String(path.dropLast(compression.rawValue.count + 1))
    }
}
