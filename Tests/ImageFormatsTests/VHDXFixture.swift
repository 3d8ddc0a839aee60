import ImageFormats
import Storage
import TestSupport

/// VHDX files changed by hand, field by field.
enum VHDXFixture {
    static let headers = [64 << 10, 128 << 10]
    static let regions = [192 << 10, 256 << 10]
    /// Where `create` lays log, metadata and table.
    static let log = 1 << 20
    static let metadata = 2 << 20
    static let table = 3 << 20
    static let data = 4 << 20

    private static func seal(_ bytes: inout [UInt8], _ range: Range<Int>, field: Int) {
        bytes.storeLittle(UInt32(0), at: field)
        bytes.storeLittle(CRC32C.checksum(bytes.span8.extracting(range)), at: field)
    }

    static func sealHeader(_ bytes: inout [UInt8], at offset: Int) {
        seal(&bytes, offset..<offset + 4096, field: offset + 4)
    }

    static func sealRegions(_ bytes: inout [UInt8], at offset: Int) {
        seal(&bytes, offset..<offset + 65536, field: offset + 4)
    }

    static func sealEntry(_ bytes: inout [UInt8], at offset: Int, count: Int) {
        seal(&bytes, offset..<offset + count, field: offset + 4)
    }

    static func changeHeaders(_ bytes: inout [UInt8], _ change: (inout [UInt8], Int) -> Void) {
        for offset in headers {
            change(&bytes, offset)
            sealHeader(&bytes, at: offset)
        }
    }

    static func changeRegions(_ bytes: inout [UInt8], _ change: (inout [UInt8], Int) -> Void) {
        for offset in regions {
            change(&bytes, offset)
            sealRegions(&bytes, at: offset)
        }
    }

    /// A small dynamic disk of 1 MiB blocks with data in blocks 5 and 0, in this order, as bytes.
    static func dynamic(_ directory: TemporaryDirectory, byteCount: UInt64 = 8 << 20) throws -> [UInt8] {
        let path = directory.path("fixture-\(UInt64.random(in: 0 ... .max)).vhdx")
        let image = try VHDXDriver.create(path, byteCount: byteCount, options: ImageCreateOptions())
        var random = SeededRandom(7)
        for block in [5, 0] as [UInt64] { try image.disk.write(random.block(70_000), at: block << 20 | 5000) }
        try image.disk.flush()
        return try fileBytes(path)
    }

    /// An entry of the log that puts pages in their places, written from [MS-VHDX] 2.3.1 and not by our writer.
    static func entry(
        guid: [UInt8], sequence: UInt64, tail: UInt32, fileSize: UInt64,
        pages: [(offset: UInt64, bytes: [UInt8])] = [], zeros: [(offset: UInt64, count: UInt64)] = []
    ) -> [UInt8] {
        let count = pages.count + zeros.count
        let head = (64 + 32 * count + 4095) / 4096 * 4096
        var bytes = [UInt8](repeating: 0, count: head)
        bytes.replaceSubrange(0..<4, with: Array("loge".utf8))
        bytes.storeLittle(UInt32(head + pages.count * 4096), at: 8)
        bytes.storeLittle(tail, at: 12)
        bytes.storeLittle(sequence, at: 16)
        bytes.storeLittle(UInt32(count), at: 24)
        bytes.replaceSubrange(32..<48, with: guid)
        bytes.storeLittle(fileSize, at: 48)
        bytes.storeLittle(fileSize, at: 56)
        var at = 64
        for zero in zeros {
            bytes.replaceSubrange(at..<at + 4, with: Array("zero".utf8))
            bytes.storeLittle(zero.count, at: at + 8)
            bytes.storeLittle(zero.offset, at: at + 16)
            bytes.storeLittle(sequence, at: at + 24)
            at += 32
        }
        for page in pages {
            bytes.replaceSubrange(at..<at + 4, with: Array("desc".utf8))
            bytes.replaceSubrange(at + 4..<at + 8, with: page.bytes[4092..<4096])
            bytes.replaceSubrange(at + 8..<at + 16, with: page.bytes[0..<8])
            bytes.storeLittle(page.offset, at: at + 16)
            bytes.storeLittle(sequence, at: at + 24)
            at += 32
            var sector = Array("data".utf8) + [0, 0, 0, 0] + page.bytes[8..<4092] + [0, 0, 0, 0]
            sector.storeLittle(UInt32(truncatingIfNeeded: sequence >> 32), at: 4)
            sector.storeLittle(UInt32(truncatingIfNeeded: sequence), at: 4092)
            bytes += sector
        }
        sealEntry(&bytes, at: 0, count: bytes.count)
        return bytes
    }
}
