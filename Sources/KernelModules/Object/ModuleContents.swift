internal import Codecs
internal import Storage

/// The bytes of a module's object: read in pieces where the file holds them as they are, decoded where it is compressed.
struct ModuleContents {
    private enum Source {
        case memory([UInt8])
        case file(any ModuleStore)
    }

    private let source: Source
    /// The file's path in its store.
    let path: String
    /// The object's length in bytes.
    let byteCount: UInt64

    /// Compressed files above this are no modules.
    private static let compressedLimit = 64 << 20
    /// Decoded ones as well.
    static let decodedLimit = 128 << 20

    /// Opens the module's file `path`; nil when there is none. How it is compressed is told by its first bytes, as by
    /// kmod.
    init?(_ path: String, in store: any ModuleStore) throws(StorageError) {
        guard let size = try store.byteCount(of: path) else { return nil }
        self.path = path
        let head = try store.bytes(of: path, at: 0, count: 6)
        guard let compression = Self.compression(head) else {
            source = .file(store)
            byteCount = size
            return
        }
        do {
            let codec = try Codec.named(CodecID(compression.codecName))
            guard let bytes = try store.contents(of: path, limit: Self.compressedLimit) else { return nil }
            let decoded = try codec.decode(bytes.span8, limit: Self.decodedLimit)
            source = .memory(decoded)
            byteCount = UInt64(decoded.count)
        } catch {
            throw error.inFile(path)
        }
    }

    /// A module's file in memory, compressed or not.
    init(file bytes: [UInt8], path: String) throws(StorageError) {
        guard let compression = Self.compression(Array(bytes.prefix(6))) else {
            self.init(bytes, path: path)
            return
        }
        do {
            let codec = try Codec.named(CodecID(compression.codecName))
            self.init(try codec.decode(bytes.span8, limit: Self.decodedLimit), path: path)
        } catch {
            throw error.inFile(path)
        }
    }

    /// A module's object in memory.
    init(_ bytes: [UInt8], path: String) {
        source = .memory(bytes)
        self.path = path
        byteCount = UInt64(bytes.count)
    }

    private static func compression(_ head: [UInt8]) -> ModuleCompression? {
        if head.starts(with: [0x1f, 0x8b]) { return .gz }
        if head.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) { return .xz }
        if head.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { return .zst }
        return nil
    }

    /// Exactly `count` bytes from `offset` on; nil where the object has not got them.
    func bytes(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8]? {
        guard count >= 0, let end = offset +? UInt64(count), end <= byteCount else { return nil }
        switch source {
        case .memory(let bytes):
            guard let start = Int(exactly: offset) else { return nil }
            return Array(bytes[start..<start + count])
        case .file(let store):
            let bytes = try store.bytes(of: path, at: offset, count: count)
            return bytes.count == count ? bytes : nil
        }
    }
}
