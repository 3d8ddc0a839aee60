internal import HostIO
package import ImageFormats
package import Storage
import Testing

/// Copies a guest disk into a plain file by its extents, holes kept.
package func copyOut(_ disk: any BlockDevice, to path: String) throws {
    let file = try HostFile.create(path)
    try file.truncate(to: disk.byteCount)
    var position: UInt64 = 0
    while position < disk.byteCount {
        let extent = try disk.nextExtent(at: position)
        #expect(extent.range.lowerBound == position && extent.range.upperBound > position)
        while position < extent.range.upperBound {
            let count = Int(min(extent.range.upperBound - position, 4 << 20))
            if extent.kind != .zero {
                try file.write(try disk.bytes(at: position, count: count), at: position)
            }
            position += UInt64(count)
        }
    }
}

/// Writes a plain file's data into a disk, holes left out, and flushes.
package func copyIn(_ path: String, _ disk: Image) throws {
    let flat = try HostFile.open(path, locking: .ignore)
    var position: UInt64 = 0
    while position < flat.byteCount {
        let run = try flat.nextDataOrHole(at: position)
        let end = min(run.end, position + 1 << 20)
        if run.isData {
            try disk.write(try flat.bytes(at: position, count: Int(end - position)), at: position)
        }
        position = end
    }
    try disk.flush()
}

/// A disk with data here and there, as a plain file.
package func scatteredDisk(
    _ directory: TemporaryDirectory, _ name: String, byteCount: UInt64, seed: UInt64
) throws -> String {
    var random = SeededRandom(seed)
    let path = try directory.sparse(name, byteCount: byteCount)
    let file = try HostFile.open(path, access: .write)
    for _ in 0..<24 {
        let count = UInt64.random(in: 1...(300 << 10), using: &random)
        let offset = UInt64.random(in: 0..<byteCount - min(count, byteCount - 1), using: &random)
        try file.write(random.block(Int(min(count, byteCount - offset))), at: offset)
    }
    return path
}
