import ImageFormats
import Storage
import TestSupport

/// VHD files changed or made by hand, field by field.
enum VHDFixture {
    static func checksum(_ bytes: ArraySlice<UInt8>, field: Int) -> UInt32 {
        var sum: UInt32 = 0
        for (index, byte) in bytes.enumerated() where index < field || index >= field + 4 {
            sum &+= UInt32(byte)
        }
        return ~sum
    }

    /// Puts right sums into the footer at `offset`.
    static func sealFooter(_ bytes: inout [UInt8], at offset: Int) {
        bytes.storeBig(checksum(bytes[offset..<offset + 512], field: 64), at: offset + 64)
    }

    /// Puts the right sum into the dynamic header at `offset`.
    static func sealHeader(_ bytes: inout [UInt8], at offset: Int = 512) {
        bytes.storeBig(checksum(bytes[offset..<offset + 1024], field: 36), at: offset + 36)
    }

    /// Changes both footers of a dynamic disk alike.
    static func changeFooters(_ bytes: inout [UInt8], _ change: (inout [UInt8], Int) -> Void) {
        for offset in [0, bytes.count - 512] {
            change(&bytes, offset)
            sealFooter(&bytes, at: offset)
        }
    }

    /// A small dynamic disk with data in some blocks, as bytes.
    static func dynamic(_ directory: TemporaryDirectory, byteCount: UInt64 = 8 << 20) throws -> [UInt8] {
        let path = directory.path("fixture-\(UInt64.random(in: 0 ... .max)).vhd")
        let image = try VHDDriver.create(path, byteCount: byteCount, options: ImageCreateOptions())
        var random = SeededRandom(7)
        for block in [2, 0] as [UInt64] { try image.disk.write(random.block(70_000), at: block << 21 | 5000) }
        try image.disk.flush()
        return try fileBytes(path)
    }
}
