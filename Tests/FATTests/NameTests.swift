import Storage
import TestSupport
import Testing

@testable import FAT

/// Long names, short names, code pages and case.
@Suite struct NameTests {
    private func made(_ name: String, codePage: Int = 437, taken: [String] = []) -> String? {
        guard let page = CodePage(codePage), let name = FileName(Array(name.utf8)),
            let made = ShortName.make(name, page, taken: Set(taken.map { Array($0.utf8) }))
        else { return nil }
        let text = String(decoding: page.units(made.raw[..<8]) + page.units(made.raw[8...]), as: UTF16.self)
        return "\(text)|\(made.caseFlags)|\(made.needsLong ? "long" : "short")"
    }

    @Test func shortNames() {
        #expect(made("KERNEL.IMG") == "KERNEL  IMG|0|short")
        #expect(made("kernel.img") == "KERNEL  IMG|24|short")
        #expect(made("kernel.IMG") == "KERNEL  IMG|8|short")
        #expect(made("KERNEL.img") == "KERNEL  IMG|16|short")
        #expect(made("Kernel.img") == "KERNEL  IMG|0|long")
        #expect(made("grubx64.efi") == "GRUBX64 EFI|24|short")
        #expect(made("a.b.c.d") == "ABC~1   D  |0|long")
        #expect(made("loader.conf") == "LOADER~1CON|0|long")
        #expect(made("loader.conf", taken: ["LOADER~1CON"]) == "LOADER~2CON|0|long")
        #expect(made("Kernel.img", taken: ["KERNEL  IMG"]) == "KERNEL~1IMG|0|long")
        #expect(made("123456789.txt", taken: (1...9).map { "123456~\($0)TXT" }) == "12345~10TXT|0|long")
        #expect(made(".config") == "CONFIG~1   |0|long")
        #expect(made("with space") == "WITHSP~1   |0|long")
        #expect(made("a+b") == "A_B~1      |0|long")
        #expect(made("é") == "É          |0|long")
        #expect(made("É") == "É          |0|short")
        #expect(made("ж") == "_~1        |0|long")
        #expect(made("Ж", codePage: 866) == "Ж          |0|short")
        #expect(made("🐧") == "__~1       |0|long")
        #expect(made("... .") == "_~1        |0|long")
    }

    /// What iconv makes of all bytes of a code page.
    @Test(.enabled(if: Tool.has("iconv"), "iconv is missing"), arguments: [437, 850, 852, 866, 1252])
    func codePages(_ number: Int) throws {
        let page = try #require(CodePage(number))
        let directory = try TemporaryDirectory()
        for byte in UInt8(0x80)...0xff {
            let path = try directory.write("byte", [byte])
            let result = try Tool.run("iconv", ["-f", "CP\(number)", "-t", "UTF-16LE", path], expect: nil)
            // Bytes of 1252 that stand for nothing.
            guard result.status == 0 else {
                #expect(number == 1252 && page.unit(byte) == UInt16(byte))
                continue
            }
            #expect(page.unit(byte) == result.output.little(0, as: UInt16.self), "byte \(byte)")
            #expect(page.byte(page.unit(byte)) == byte)
        }
        #expect(CodePage(949) == nil)
    }

    /// What iconv makes of all pairs of bytes of code page 932, and which of several pairs it takes for a character.
    @Test(.enabled(if: Tool.has("iconv"), "iconv is missing")) func codePage932() throws {
        let page = try #require(CodePage(932))
        let directory = try TemporaryDirectory()
        var pairs = 0
        for first in UInt8(0x81)...0xfc where CodePage932.isFirst(first) {
            // Each pair on a line of its own; -c leaves those out that stand for nothing.
            let lines: [UInt8] = CodePage932.secondBytes.flatMap { [first, $0, 0x0a] as [UInt8] }
            let path = try directory.write("pairs", lines)
            let text = try Tool.run("iconv", ["-c", "-f", "CP932", "-t", "UTF-16LE", path], expect: nil)
                .output
            var units: [UInt16] = []
            for offset in stride(from: 0, to: text.count - 1, by: 2) {
                units.append(text.little(offset, as: UInt16.self))
            }
            let known = units.split(separator: 0x0a, omittingEmptySubsequences: false)
            guard known.count == CodePage932.secondBytes.count + 1 else { continue }
            for (second, unit) in zip(CodePage932.secondBytes, known) where unit.count == 1 {
                let value = try #require(unit.first)
                let own = page.units([first, second])
                // Of a pair that stands for nothing iconv leaves the second byte out or by itself; the count shows one too few.
                guard own != [CodePage.unknownUnit] else { continue }
                #expect(own == [value], "\(first) \(second)")
                let back = try #require(page.bytes(value))
                #expect(page.units(back) == [value])
                pairs += 1
            }
        }
        #expect(pairs == 7724 + 10 * 188)
        #expect(page.units([0xb1, 0x41]) == [0xff71, 0x41])
        #expect(page.units([0x82]) == [CodePage.unknownUnit])
        // IBM's for NEC's selection, and the first of the others.
        #expect(page.bytes(0x7e8a) == [0xfa, 0x5c])
        #expect(page.bytes(0x2252) == [0x81, 0xe0])
        #expect(page.bytes(0x2160) == [0x87, 0x54])
        // No character is cut in two, and eight bytes hold four of them.
        #expect(made("日本語四", codePage: 932) == "日本語四   |0|short")
        #expect(made("日本語五字", codePage: 932) == "日本語~1   |0|long")
        #expect(made("a日本語四", codePage: 932) == "A日本~1    |0|long")
        #expect(made("ｱｲｳ.txt", codePage: 932) == "ｱｲｳ     TXT|0|long")
        #expect(made("日本", codePage: 437) == "__~1       |0|long")
    }

    @Test func unitsAndBytes() throws {
        for text in ["", "a", "ä", "€", "🐧", "a🐧b"] {
            let name = try #require(FileName(Array(text.utf8)))
            #expect(name.units == Array(text.utf16))
            #expect(name.bytes == Array(text.utf8))
        }
        let half = FileName(units: [0xd83d, 0x41])
        #expect(try #require(FileName(half.bytes)).units == half.units)
        #expect(!half.isAllowed)
        for bytes: [UInt8] in [
            [0x80], [0xc0, 0x80], [0xc3], [0xe0, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff],
        ] {
            #expect(FileName(bytes) == nil, "\(bytes)")
        }
        #expect(FileName.upper(0xe4) == 0xc4 && FileName.lower(0xc4) == 0xe4)
        // One letter for one, and none of ASCII for another.
        for unit: UInt16 in [0xdf, 0x131, 0x17f, 0x212a] {
            #expect(FileName.upper(unit) == unit && FileName.lower(unit) >= 0x80)
        }
    }

    @Test func times() {
        let cases: [(seconds: Int64, date: UInt16, time: UInt16)] = [
            (315_532_800, 0x0021, 0), (1_000_000_000, 0x2b29, 0x0dd4), (1_709_208_000, 0x585d, 0x6000),
            (4_354_819_198, 0xff9f, 0xbf7d),
        ]
        for (seconds, date, time) in cases {
            let fields = DOSTime.fields(Timestamp(seconds: seconds))
            #expect(fields.date == date && fields.time == time, "\(seconds)")
            #expect(DOSTime.timestamp(date: date, time: time) == Timestamp(seconds: seconds))
        }
        #expect(DOSTime.fields(Timestamp(seconds: 0)).date == 0x21)
        #expect(DOSTime.fields(Timestamp(seconds: .max)).date == 0xff9f)
        #expect(DOSTime.fields(Timestamp(seconds: 1_000_000_001, nanoseconds: 990_000_000)).tenths == 199)
        #expect(DOSTime.timestamp(date: 0, time: 0) == nil)
        for day in stride(from: Int64(315_532_800), to: 4_354_732_800, by: 86_400) {
            let date = DOSTime.fields(Timestamp(seconds: day)).date
            guard DOSTime.timestamp(date: date, time: 0)?.seconds == day else {
                Issue.record("day \(day)")
                break
            }
        }
    }
}
