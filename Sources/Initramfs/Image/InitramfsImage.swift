internal import Codecs
package import Storage

/// An initramfs as a boot loader hands it to Linux: archives one behind the other, compressed or not, with zeros between
/// them. Read as Linux reads it (init/initramfs.c), in one pass and in bounded memory.
package struct InitramfsImage {
    /// The image.
    package let source: ByteSource
    private let limits: InitramfsLimits

    /// An image of these bytes.
    package init(_ source: ByteSource, limits: InitramfsLimits = InitramfsLimits()) {
        self.source = source
        self.limits = limits
    }

    /// Reads all of it. `isWanted` says, by the path in the unpacked tree and the length, which regular files' bytes are
    /// to be held.
    ///
    /// What Linux would reject, and what is damaged, is the result's `failure`; its `offset` is a byte of the image, of a
    /// compressed member the one that it begins at. Throws `refused` for an image past the limits, and what reading
    /// throws.
    package func contents(
        where isWanted: (_ path: [UInt8], _ size: UInt64) -> Bool = { _, _ in false }
    ) throws(StorageError) -> InitramfsContents {
        let reading = ImageReading(source, limits: limits)
        var missing = try reading.run(isWanted, contents: [])
        if !missing.isEmpty {
            // A name that was asked for belongs to contents that stood before it.
            let second = ImageReading(source, limits: limits)
            let wanted = missing
            missing = try second.run({ _, _ in false }, contents: wanted)
            reading.result.held.merge(second.result.held) { first, _ in first }
        }
        return reading.result
    }

    /// Where the image is a file system: a device of its bytes, decoded into memory. Throws `refused` for more than
    /// `limit` bytes, and `misuse` where the image is an archive.
    package func fileSystemDevice(limit: Int = 64 << 20) throws(StorageError) -> any BlockDevice {
        let head = try source.bytes(at: 0, count: OldRootKind.headByteCount)
        var bytes: [UInt8] = []
        if OldRootKind(head) != nil {
            guard source.byteCount <= UInt64(limit) else { throw tooLong(limit) }
            bytes = try source.bytes(at: 0, count: Int(source.byteCount))
        } else if let codec = ImageReading.codec(head) {
            let stream = try StreamReading(codec, source, at: 0, limit: UInt64(limit), limits: limits)
            var chunk = [UInt8](repeating: 0, count: 256 << 10)
            while true {
                try Cancellation.check()
                let count = try chunk.withMutableBytes { (target) throws(StorageError) in
                    try stream.read(into: &target)
                }
                guard count > 0 else { break }
                if bytes.isEmpty, OldRootKind(Array(chunk[..<count])) == nil { break }
                guard count <= limit - bytes.count else { throw tooLong(limit) }
                bytes += chunk[..<count]
            }
        }
        guard !bytes.isEmpty else {
            throw .initramfs(.misuse, .notAnArchive, "the image is an archive, and no file system")
        }
        return OldRootDevice(bytes)
    }

    private func tooLong(_ limit: Int) -> StorageError {
        .initramfs(.refused, .tooLong, "the file system in it has more than \(limit) bytes")
    }
}

/// A file system in memory.
final class OldRootDevice: BlockDevice {
    private let bytes: [UInt8]
    let byteCount: UInt64
    var sectorSize: UInt32 { 512 }
    var hostFiles: [any ByteFile] { [] }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        byteCount = UInt64(bytes.count)
    }

    func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(target.byteCount))
        let bytes = bytes
        target.copy(bytes.span8.extracting(Int(offset)..<Int(offset) + target.byteCount), to: 0)
    }

    func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        try checkBounds(at: offset, count: 1)
        return Extent(range: offset..<byteCount, kind: .memory)
    }
}
