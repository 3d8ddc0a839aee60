import Testing

@testable import Storage

struct ChecksumTests {
    private let digits = Array("123456789".utf8)

    @Test func checkValues() {
        #expect(CRC32.checksum(digits.span8) == 0xcbf4_3926)
        #expect(CRC32C.checksum(digits.span8) == 0xe306_9283)
        #expect(CRC16.update(0xffff, digits.span8) == 0x4b37)
    }

    /// By xxhsum -H1, at lengths that end in every kind of step.
    @Test func xxh64() {
        #expect(XXH64.checksum(Array("".utf8).span8) == 0xef46_db37_51d8_e999)
        #expect(XXH64.checksum(Array("a".utf8).span8) == 0xd24e_c4f1_a98c_6e5b)
        #expect(XXH64.checksum(Array("abc".utf8).span8) == 0x44bc_2cf5_ad77_0999)
        let bytes = (0..<512).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 256) }
        #expect(XXH64.checksum(bytes.span8.extracting(0..<37)) == 0x0f67_f332_bdd5_b35b)
        #expect(XXH64.checksum(bytes.span8.extracting(0..<511)) == 0x4462_d444_9809_779e)
        #expect(XXH64.checksum(bytes.span8) == 0xd57c_1c95_0748_eeb8)
        #expect(XXH64.checksum([UInt8](repeating: 0, count: 512).span8) == 0x8bbf_7f68_e8c3_b87c)
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
