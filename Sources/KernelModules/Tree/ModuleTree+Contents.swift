package import Storage

extension ModuleTree {
    /// The object in a module's file, decoded where it is compressed: what a loader takes that knows no compression.
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
