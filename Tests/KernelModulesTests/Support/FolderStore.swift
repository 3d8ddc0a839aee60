import Foundation
import KernelModules
import Storage

/// A folder of the host as a place of modules.
final class FolderStore: ModuleStore {
    let root: String
    /// How many bytes were read.
    private(set) var bytesRead = 0

    init(_ root: String) { self.root = root }

    func entries(of path: String) throws(StorageError) -> [ModuleStoreEntry]? {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: root + path) else {
            return nil
        }
        return names.sorted().map { name in
            let type = try? FileManager.default.attributesOfItem(atPath: "\(root)\(path)/\(name)")[.type]
            return ModuleStoreEntry(name: name, isDirectory: type as? FileAttributeType == .typeDirectory)
        }
    }

    func byteCount(of path: String) throws(StorageError) -> UInt64? {
        var information = stat()
        guard unsafe stat(root + path, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        return UInt64(information.st_size)
    }

    func read(
        _ path: String, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int {
        let file = unsafe open(root + path, O_RDONLY)
        guard file >= 0 else { throw .io("folder", operation: "open", errno: errno, path: path) }
        defer { close(file) }
        let got = unsafe target.withUnsafeMutableBytes {
            unsafe pread(file, $0.baseAddress, $0.count, off_t(offset))
        }
        guard got >= 0 else { throw .io("folder", operation: "pread", errno: errno, path: path) }
        bytesRead += got
        return got
    }
}

/// Files in memory as a place of modules.
final class MemoryStore: ModuleStore {
    var files: [String: [UInt8]]

    init(_ files: [String: [UInt8]]) { self.files = files }

    func entries(of path: String) throws(StorageError) -> [ModuleStoreEntry]? {
        var found: [String: Bool] = [:]
        for file in files.keys where file.hasPrefix(path + "/") {
            let rest = file.dropFirst(path.count + 1).split(separator: "/")
            if let first = rest.first { found[String(first)] = rest.count > 1 }
        }
        if found.isEmpty { return nil }
        return found.sorted { $0.key < $1.key }.map { ModuleStoreEntry(name: $0.key, isDirectory: $0.value) }
    }

    func byteCount(of path: String) throws(StorageError) -> UInt64? { files[path].map { UInt64($0.count) } }

    func read(
        _ path: String, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int {
        guard let bytes = files[path], let start = Int(exactly: offset), start < bytes.count else { return 0 }
        let count = min(target.byteCount, bytes.count - start)
        target.copy(bytes.span8.extracting(start..<start + count), to: 0)
        return count
    }
}
