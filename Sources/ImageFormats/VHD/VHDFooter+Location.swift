internal import Storage

/// The footer of a file, and how far its copies can be relied on.
struct VHDFooterPlacement: Sendable {
    /// The copy to go by.
    var footer: VHDFooter
    /// Where the footer at the file's end begins; the file's end when there is none.
    var endOffset: UInt64
    /// Why the disk must not be written, when it must not.
    var writeRefusal: StorageError?
    /// What a user should know.
    var warnings: [String] = []
}

extension VHDFooterPlacement {
    /// The footer that ends `tail`, 512 bytes long or, as old versions of Virtual PC wrote it, 511.
    static func footer(endingIn tail: [UInt8]) -> (footer: VHDFooter, byteCount: Int)? {
        for size in [VHDFooter.byteCount, VHDFooter.byteCount - 1] where tail.count >= size {
            if let footer = VHDFooter(Array(tail.suffix(size))) { return (footer, size) }
        }
        return nil
    }

    /// The copy at the start of a dynamic disk. A fixed disk's start is the guest's own.
    static func footer(beginning head: [UInt8]) -> VHDFooter? {
        guard head.count >= VHDFooter.byteCount else { return nil }
        guard let footer = VHDFooter(Array(head.prefix(VHDFooter.byteCount))), footer.kind != .fixed else {
            return nil
        }
        return footer
    }

    /// Finds the footer: the copy whose checksum is right, the one at the end first.
    init(in file: any ByteFile) throws(StorageError) {
        let length = file.byteCount
        let tailSize = min(length, UInt64(VHDFooter.byteCount))
        let tail = try file.bytes(at: length - tailSize, count: Int(tailSize))
        let atEnd = Self.footer(endingIn: tail)
        let atStart = Self.footer(beginning: try file.availableBytes(at: 0, count: VHDFooter.byteCount))
        guard let first = atEnd?.footer ?? atStart else {
            throw .vhd(
                .corrupt, .noFooter, "has no VHD footer at its end or start; it may be truncated",
                structure: "footer", offset: length - tailSize,
                remedies: [.nameFormat(ImageFormat.raw.rawValue)])
        }
        endOffset = length - UInt64(atEnd?.byteCount ?? 0)
        footer = first
        if first.checksumIsRight {
            if atEnd == nil {
                warnings.append("the footer at the end is missing; going by the copy at the start")
            } else if first.kind != .fixed {
                if let atStart {
                    if !atStart.checksumIsRight {
                        warnings.append("the checksum of the footer's copy at the start is wrong")
                    }
                } else {
                    warnings.append("the footer's copy at the start is missing")
                }
            }
        } else if let atStart, atStart.checksumIsRight {
            footer = atStart
            warnings.append("the footer at the end has a wrong checksum; going by the copy at the start")
        } else {
            warnings.append("the footer's checksum is wrong")
            writeRefusal = .vhd(
                .refused, .badChecksum,
                "the footer's checksum is wrong, so it is not known to be what was written; the disk can be "
                    + "read (convert it to get a sound one), not written in place",
                structure: "footer", field: "checksum", offset: endOffset, path: file.path)
        }
        try Self.check(footer, at: endOffset)
    }

    private static func check(_ footer: VHDFooter, at offset: UInt64) throws(StorageError) {
        guard footer.version >> 16 == 1 else {
            throw .vhd(
                .unsupported, .footerVersion, "has format version \(footer.version.hex); 1.0 is known",
                structure: "footer", field: "file format version", offset: offset)
        }
        guard footer.features & ~3 == 0 else {
            throw .vhd(
                .unsupported, .unknownFeatures,
                "uses features that are not known (\(footer.features.hex))",
                structure: "footer", field: "features", offset: offset)
        }
        guard footer.kind != nil else {
            throw .vhd(
                .unsupported, .unknownType,
                "has disk type \(footer.bytes.big(60, as: UInt32.self)); 2 (fixed), 3 (dynamic) and "
                    + "4 (differencing) are known", structure: "footer", field: "disk type", offset: offset)
        }
    }
}
