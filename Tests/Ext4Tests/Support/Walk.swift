import Ext4
import Storage

/// Touches everything that can be reached, going on after errors: what a volume of hostile bytes must survive.
struct Walk {
    private(set) var fileCount = 0
    private(set) var errors: [StorageError] = []
    private var seen: Set<FileID> = []

    init(_ volume: Ext4FileSystem, fileLimit: Int = 20_000, byteLimit: Int = 1 << 20) {
        var pending = [volume.rootDirectory]
        while let directory = pending.popLast(), fileCount < fileLimit {
            guard seen.insert(directory).inserted else { continue }
            var entries: [DirectoryEntry] = []
            attempt { () throws(StorageError) in
                try volume.forEachEntry(of: directory) { (entry) throws(StorageError) in
                    entries.append(entry)
                    return entries.count < fileLimit
                }
            }
            for (index, entry) in entries.enumerated() {
                fileCount += 1
                attempt { () throws(StorageError) in
                    let attributes = try volume.attributes(of: entry.file)
                    _ = try volume.extendedAttributes(of: entry.file)
                    switch attributes.type {
                    case .directory: pending.append(entry.file)
                    case .symbolicLink: _ = try volume.symbolicLinkTarget(of: entry.file)
                    case .regular: try Self.read(entry.file, attributes.size, volume, byteLimit)
                    default: break
                    }
                }
                guard index % 50 == 0 else { continue }
                attempt { () throws(StorageError) in
                    _ = try volume.lookUp(entry.name, in: directory)
                }
            }
        }
    }

    private static func read(
        _ file: FileID, _ size: UInt64, _ volume: Ext4FileSystem, _ byteLimit: Int
    ) throws(StorageError) {
        var bytes = [UInt8](repeating: 0, count: min(byteLimit, Int(clamping: size)))
        for offset in [0, size / 2, size - min(size, UInt64(bytes.count))] {
            _ = try bytes.withMutableBytes { (span) throws(StorageError) in
                try volume.read(file, into: &span, at: offset)
            }
            if offset < size { _ = try volume.nextExtent(of: file, at: offset) }
        }
    }

    private mutating func attempt(_ body: () throws(StorageError) -> Void) {
        do throws(StorageError) { try body() } catch { errors.append(error) }
    }
}
