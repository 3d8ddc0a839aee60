package import Storage

/// Bytes of known length that are read in ranges, wherever they lie: a file of a guest's tree, of the host, memory.
package struct ByteSource {
    /// Fills all of the target from byte `offset` on; both lie inside.
    package typealias Reader = (_ target: inout MutableRawSpan, _ offset: UInt64) throws(StorageError) -> Void

    /// How many there are.
    package let byteCount: UInt64
    private let reader: Reader

    /// `byteCount` bytes that `reader` reads.
    package init(byteCount: UInt64, reader: @escaping Reader) {
        self.byteCount = byteCount
        self.reader = reader
    }

    /// Bytes in memory.
    package init(_ bytes: [UInt8]) {
        self.init(byteCount: UInt64(bytes.count)) { (target, offset) throws(StorageError) in
            target.copy(bytes.span8.extracting(Int(offset)..<Int(offset) + target.byteCount), to: 0)
        }
    }

    /// A file.
    package init(_ file: any ByteFile) {
        self.init(byteCount: file.byteCount) { (target, offset) throws(StorageError) in
            try file.read(into: &target, at: offset)
        }
    }

    /// A regular file of a tree.
    package init(_ tree: any FileTree, file: FileID) throws(StorageError) {
        let byteCount = try tree.attributes(of: file).size
        self.init(byteCount: byteCount) { (target, offset) throws(StorageError) in
            var done = 0
            while done < target.byteCount {
                var rest = target.part(done..<target.byteCount)
                let count = try tree.read(file, into: &rest, at: offset + UInt64(done))
                guard count > 0 else {
                    throw .initramfs(
                        .corrupt, .cutShort, "the file ends before its length", offset: offset)
                }
                done += count
            }
        }
    }

    /// Fills all of `target` from byte `offset` on. Throws `corrupt`, code "cut-short", past the end.
    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        guard offset <= byteCount, UInt64(target.byteCount) <= byteCount - offset else {
            throw .initramfs(
                .corrupt, .cutShort,
                "\(target.byteCount) bytes are needed and \(byteCount) bytes are all there is", offset: offset
            )
        }
        guard target.byteCount > 0 else { return }
        try reader(&target, offset)
    }

    /// A copy of `count` bytes at `offset`, fewer where it ends before. `count` is the caller's, not an image's.
    package func bytes(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        guard offset < byteCount else { return [] }
        var result = [UInt8](repeating: 0, count: Int(min(UInt64(count), byteCount - offset)))
        try result.withMutableBytes { (target) throws(StorageError) in try read(into: &target, at: offset) }
        return result
    }

    /// The part `range`. Throws `corrupt` when it does not lie inside.
    package func slice(_ range: Range<UInt64>) throws(StorageError) -> ByteSource {
        guard range.upperBound <= byteCount else {
            throw .initramfs(
                .corrupt, .cutShort, "a part ends at \(range.upperBound) and all of it at \(byteCount)",
                offset: range.lowerBound)
        }
        return ByteSource(byteCount: range.upperBound - range.lowerBound) {
            (target, offset) throws(StorageError) in
            try read(into: &target, at: range.lowerBound + offset)
        }
    }

    /// One behind the other, as a loader puts several files.
    package static func joined(_ first: ByteSource, _ second: ByteSource) -> ByteSource {
        let seam = first.byteCount
        return ByteSource(byteCount: seam + second.byteCount) { (target, offset) throws(StorageError) in
            let count = offset >= seam ? 0 : Int(min(UInt64(target.byteCount), seam - offset))
            if count > 0 {
                var part = target.part(0..<count)
                try first.read(into: &part, at: offset)
            }
            if count < target.byteCount {
                var part = target.part(count..<target.byteCount)
                try second.read(into: &part, at: max(offset, seam) - seam)
            }
        }
    }
}
