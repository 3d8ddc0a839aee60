import HostIO
import Storage
import TestSupport
import Testing

/// Names as bytes: into strings and back, and as a shell and a terminal get them.
struct HostTextTests {
    /// Random bytes, many of them pieces of UTF-8 and of the scalars that stand for bytes.
    private static func names(_ count: Int, upTo length: Int, seed: UInt64) -> [[UInt8]] {
        var random = SeededRandom(seed)
        let pieces: [[UInt8]] = [
            Array("é".utf8), Array("e\u{301}".utf8), Array("\u{10fe80}".utf8), Array("\u{10feff}".utf8),
            Array("\u{10fffd}".utf8), Array("😀".utf8), [0xf4, 0x8f], [0xc3], [0xed, 0xa0, 0x80],
            [0xff, 0xfe],
            Array("'".utf8), Array("\"".utf8), Array("\n".utf8), Array("a".utf8), Array(" ".utf8),
            Array("\u{9b}31m".utf8), [0x9b], [0x1b], Array("\u{202e}".utf8), Array("\u{fffd}".utf8),
        ]
        return (0..<count).map { _ in
            var name: [UInt8] = []
            for _ in 0..<Int.random(in: 1...length, using: &random) {
                if Bool.random(using: &random), let piece = pieces.randomElement(using: &random) {
                    name += piece
                } else {
                    name.append(.random(in: 1...255, using: &random))
                }
            }
            return name
        }
    }

    @Test func everyNameComesBackAndHasAStringOfItsOwn() {
        var seen: [[UInt8]: [UInt8]] = [:]
        let single = (0...255).map { [UInt8($0)] }
        for bytes in single + Self.names(20_000, upTo: 6, seed: 12) {
            let text = String(hostBytes: bytes)
            #expect(text.hostBytes == bytes)
            let other = seen.updateValue(bytes, forKey: Array(text.utf8))
            #expect(other == nil || other == bytes)
        }
        #expect(String(hostBytes: Array("é/😀".utf8)) == "é/😀")
    }

    @Test(.enabled(if: Tool.has("bash", "ls"), "bash is not installed"))
    func aShellMakesTheSameNameOfWhatIsShown() throws {
        let directory = try TemporaryDirectory()
        let names = (1...255).map { [UInt8($0)] } + Self.names(600, upTo: 8, seed: 3)
        let script = names.map { "printf '%s\\0' " + $0.shellText }.joined(separator: "\n")
        let output = try Tool.run("bash", [try directory.write("script", script)]).output
        let back = output.split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }.dropLast()
        #expect(Array(back) == names)
        for name in names {
            #expect(name.shellText.unicodeScalars.allSatisfy { $0.isShown })
            let shown = name.terminalText
            #expect(String(validating: shown, as: UTF8.self) != nil)
            #expect(!shown.contains { $0 < 32 && $0 != 10 && $0 != 9 || $0 == 127 })
        }
    }

    @Test(.enabled(if: Tool.has("bash", "ls"), "bash is not installed"))
    func namesAreQuotedAsLsQuotesThem() throws {
        let directory = try TemporaryDirectory()
        // What ls calls printable beyond that is the C library's matter: a few more marks are quoted here.
        var names: [[UInt8]] = []
        for byte in UInt8(1)...255 where byte != 47 {
            if byte != 46 { names.append([byte]) }
            names.append(Array("ab".utf8) + [byte] + Array("c d".utf8))
        }
        for name in ["it's", "it's $5", "a=b", "#x", "x#", "~", "{}", "{", "é ü", "-x", "a\tb'c"] {
            let bytes = Array(name.utf8)
            if !names.contains(bytes) { names.append(bytes) }
        }
        let script =
            "mkdir d && cd d\n" + names.map { "> ./" + $0.shellText }.joined(separator: "\n")
            + "\nLC_ALL=C.UTF-8 ls -A -U -1 --quoting-style=shell-escape"
        let listed = try Tool.run(
            "bash", [try directory.write("script", script)], directory: directory.root
        ).text.split(separator: "\n").map { $0.drop { $0 == " " } }
        let shown = names.map(\.shellText)
        #expect(Set(listed.map(String.init)) == Set(shown))
    }

    @Test func directoriesAndNamesAreByBytes() {
        // A slash with an accent is one character, and a slash all the same.
        #expect(HostPath.directory(of: "dir/\u{301}x") == "dir")
        #expect(Array(HostPath.name(of: "dir/\u{301}x").utf8) == Array("\u{301}x".utf8))
        #expect(!HostDirectory.isSame("/none/\u{e9}", "/none/e\u{301}"))
    }
}
