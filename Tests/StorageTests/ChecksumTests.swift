import Testing

@testable import Storage

struct ChecksumTests {
    private let digits = Array("123456789".utf8)

    @Test func checkValues() {
        #expect(CRC32.checksum(digits.span8) == 0xcbf4_3926)
        #expect(CRC32C.checksum(digits.span8) == 0xe306_9283)
        #expect(CRC16.update(0xffff, digits.span8) == 0x4b37)
    }

    @Test func wholeEqualsBytewise() {
        let long = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for count in [0, 1, 15, 16, 17, 31, 32, 999, 1000] {
            var whole: UInt32 = 0xffff_ffff
            for index in 0..<count { whole = CRC32C.update(whole, [long[index]].span8) }
            let part = long.span8.extracting(0..<count)
            #expect(CRC32C.update(0xffff_ffff, part) == whole)
            // By tables, where the processor has an instruction too.
            #expect(CRC32C.table.update(0xffff_ffff, part) == whole)
        }
    }

    private func isAllZero(_ bytes: [UInt8]) -> Bool { bytes.span8.isAllZero }

    @Test func zeroScan() {
        for count in [0, 1, 127, 128, 129, 4096] {
            var bytes = [UInt8](repeating: 0, count: count)
            #expect(isAllZero(bytes))
            for position in Set([0, count / 2, count - 1]) where position >= 0 && position < count {
                bytes[position] = 1
                #expect(!isAllZero(bytes))
                bytes[position] = 0
            }
        }
    }
}
