internal import Storage

/// An extent of a disk that is made.
struct VMDKNewExtent {
    /// The plain name of its file.
    var name: String
    /// Its guest bytes.
    var range: Range<UInt64>

    /// A piece of a split disk as VMware cuts it: 2047 MiB, so that a full sparse one with its tables stays below 2 GiB.
    static let pieceSize: UInt64 = 2047 << 20

    /// The extents of a disk whose first file is `path`, by VMware's names: `disk-flat.vmdk`, `disk-f001.vmdk`,
    /// `disk-s001.vmdk`.
    static func list(
        of path: String, byteCount: UInt64, _ subformat: VMDKCreateOptions.Subformat
    ) -> [VMDKNewExtent] {
        let name = HostPath.name(of: path)
        if subformat.isOneFile { return [VMDKNewExtent(name: name, range: 0..<byteCount)] }
        let stem = name.lowercased().hasSuffix(".vmdk") ? String(name.dropLast(5)) : name
        guard subformat.isSplit else {
            return [VMDKNewExtent(name: stem + "-flat.vmdk", range: 0..<byteCount)]
        }
        let letter = subformat.isFlat ? "f" : "s"
        var extents: [VMDKNewExtent] = []
        var start: UInt64 = 0
        // One more than the reader takes is enough to refuse them.
        while start < byteCount, extents.count <= VMDKDescriptor.extentLimit {
            let end = start + min(pieceSize, byteCount - start)
            let digits = String(extents.count + 1)
            let number = String(repeating: "0", count: max(3 - digits.count, 0)) + digits
            extents.append(VMDKNewExtent(name: "\(stem)-\(letter)\(number).vmdk", range: start..<end))
            start = end
        }
        return extents
    }
}
