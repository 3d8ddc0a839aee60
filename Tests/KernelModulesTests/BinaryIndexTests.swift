import KernelModules
import Storage
import TestSupport
import Testing

/// kmod's binary indexes, read and made.
@Suite struct BinaryIndexTests {
    private static func index(_ pairs: [(String, String, UInt32)]) throws -> [UInt8] {
        let builder = BinaryIndexBuilder()
        for (key, value, priority) in pairs { try builder.insert(key, value, priority: priority) }
        return try builder.bytes()
    }

    private static let pairs: [(String, String, UInt32)] = [
        ("virtio_blk", "a", 3), ("virtio", "b", 1), ("virtio_net", "c", 2), ("virtio", "d", 0),
        ("virtio", "e", 1),
        ("v", "f", 9), ("", "root", 4), ("w*[0-9]", "g", 5), ("zzz", "", 0),
    ]

    @Test func keysGiveTheirValuesInTheOrderOfPriority() throws {
        let index = try BinaryIndex(Self.index(Self.pairs))
        func values(_ key: String) throws -> [String] {
            try index.values(of: Array(key.utf8)).map { String(decoding: $0.text, as: UTF8.self) }
        }
        #expect(try values("virtio") == ["d", "e", "b"])
        #expect(try values("virtio_blk") == ["a"])
        #expect(try values("v") == ["f"])
        #expect(try values("") == ["root"])
        #expect(try values("zzz") == [""])
        for absent in ["virti", "virtio_", "virtio_blkx", "x", "zz", "zzzz"] {
            #expect(try values(absent).isEmpty)
        }
        let entries = try index.entries()
        #expect(
            entries.map { String(decoding: $0.key, as: UTF8.self) }
                == ["", "v", "virtio", "virtio_blk", "virtio_net", "w*[0-9]", "zzz"])
        #expect(entries.flatMap(\.values).count == Self.pairs.count)
        #expect(try BinaryIndex(BinaryIndexBuilder().bytes()).entries().isEmpty)
    }

    /// An index of thousands of keys is what a dictionary of them is.
    @Test func manyKeysAreFound() throws {
        var random = SeededRandom(5)
        var expected: [String: [String]] = [:]
        let builder = BinaryIndexBuilder()
        for number in 0..<4000 {
            let key = String(
                (0..<Int.random(in: 0...9, using: &random)).map { _ in
                    "ab_".randomElement(using: &random) ?? "a"
                })
            try builder.insert(key, "\(number)", priority: UInt32(number))
            expected[key, default: []].append("\(number)")
        }
        let index = try BinaryIndex(builder.bytes())
        let found = try index.entries()
        #expect(found.count == expected.count)
        for entry in found {
            let key = String(decoding: entry.key, as: UTF8.self)
            #expect(entry.values.map { String(decoding: $0.text, as: UTF8.self) } == expected[key])
            #expect(try index.values(of: entry.key) == entry.values)
        }
    }

    @Test func whatNoIndexCanHoldIsRefused() throws {
        for (key, value) in [
            ("a\u{e4}", "v"), ("a\0b", "v"), ("a", "v\0"), (String(repeating: "a", count: 5000), "v"),
        ] {
            #expect(throws: StorageError.self) { try BinaryIndexBuilder().insert(key, value, priority: 0) }
        }
    }

    @Test func whatIsNoIndexIsRefused() throws {
        let whole = try Self.index(Self.pairs)
        func code(_ change: (inout [UInt8]) -> Void) throws -> ErrorCode? {
            var bytes = whole
            change(&bytes)
            do {
                let index = try BinaryIndex(bytes)
                _ = try index.entries()
                return nil
            } catch {
                return error.id
            }
        }
        #expect(try code { $0 = [] } == ErrorCode(KernelModulesCode.badIndex))
        #expect(try code { $0[3] = 0 } == ErrorCode(KernelModulesCode.badIndex))
        // The magic of the format before.
        #expect(try code { $0.storeBig(UInt32(0xb007_fa57), at: 0) } == ErrorCode(KernelModulesCode.badIndex))
        #expect(
            try code { $0.storeBig(UInt32(0x0003_0001), at: 4) } == ErrorCode(KernelModulesCode.indexVersion))
        #expect(try code { $0.storeBig(UInt32(0x0002_0009), at: 4) } == nil)
        #expect(try code { $0.storeBig(UInt32(0x2fff_ffff), at: 8) } == ErrorCode(KernelModulesCode.badIndex))
        #expect(try code { $0.storeBig(UInt32(0), at: 8) } == nil)
        // A root that is its own child.
        #expect(
            try code { bytes in
                let root = bytes.count
                bytes += [97, 97] + [UInt8](repeating: 0, count: 4)
                bytes.storeBig(UInt32(root) | 0x2000_0000, at: root + 2)
                bytes.storeBig(UInt32(root) | 0x2000_0000, at: 8)
            } == ErrorCode(KernelModulesCode.badIndex))
        // Children from behind the last.
        #expect(
            try code { bytes in
                bytes.storeBig(UInt32(bytes.count) | 0x2000_0000, at: 8)
                bytes += [98, 97, 0, 0, 0, 0]
            } == ErrorCode(KernelModulesCode.badIndex))
        // More values than bytes.
        #expect(
            try code { bytes in
                bytes.storeBig(UInt32(bytes.count) | 0x4000_0000, at: 8)
                bytes += [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0]
            } == ErrorCode(KernelModulesCode.badIndex))
    }

    /// Nodes that share children, which no depmod writes, end in bounded time and memory.
    @Test func sharedNodesAreBounded() throws {
        var bytes = try BinaryIndexBuilder().bytes()
        var child: UInt32 = 0
        for _ in 0..<200 {
            let place = UInt32(bytes.count) | 0x2000_0000
            bytes += [97, 98]
            for _ in 0..<2 { bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: child >> $0) } }
            child = place
        }
        bytes.storeBig(child, at: 8)
        #expect(throws: StorageError.self) { try BinaryIndex(bytes).entries() }
    }

    @Test func damagedIndexesAreErrorsOrAnswers() throws {
        let whole = try Self.index(Self.pairs)
        var random = SeededRandom(17)
        for _ in 0..<6000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                bytes[Int.random(in: 8..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            if Bool.random(using: &random) {
                bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            }
            guard let index = try? BinaryIndex(bytes) else { continue }
            _ = try? index.entries()
            _ = try? index.values(of: Array("virtio_blk".utf8))
        }
    }
}
