import Codecs
import KernelModules
import Storage
import TestSupport
import Testing

/// What an object says of itself, whatever machine it is for.
@Suite struct ModuleInfoTests {
    static let shapes: [(is64Bit: Bool, isBigEndian: Bool, machine: UInt16)] = [
        (true, false, 62), (false, false, 3), (true, false, 183), (true, true, 21), (true, true, 22),
        (false, true, 8),
    ]

    private static func object(_ shape: (is64Bit: Bool, isBigEndian: Bool, machine: UInt16)) -> MadeObject {
        MadeObject(
            is64Bit: shape.is64Bit, isBigEndian: shape.isBigEndian, machine: shape.machine,
            info: [
                "", "license=GPL", "alias=fs-a", "", "", "alias=b=c", "depends=one-two,three",
                "softdep=pre: x post: y",
                "firmware=q.bin", "no value", "name=it-is", "vermagic=5.4.0 SMP ",
            ])
    }

    @Test(arguments: shapes)
    func everyShapeOfObjectIsRead(_ shape: (is64Bit: Bool, isBigEndian: Bool, machine: UInt16)) throws {
        for isExtended in [false, true] {
            var object = Self.object(shape)
            object.isExtended = isExtended
            let info = try ModuleInfo(object: object.bytes, path: "it.ko")
            #expect(info.machine == shape.machine)
            #expect(info.is64Bit == shape.is64Bit)
            #expect(info.isBigEndian == shape.isBigEndian)
            #expect(info.aliases == ["fs-a", "b=c"])
            #expect(info.dependencies == ["one_two", "three"])
            #expect(info.softDependencies == ["pre: x post: y"])
            #expect(info.firmware == ["q.bin"])
            #expect(info.name == "it_is")
            #expect(info.versionMagic == "5.4.0 SMP ")
            #expect(info.release == "5.4.0")
            #expect(!info.isSigned)
            #expect(!info.hasSymbolVersions)
        }
    }

    @Test func signaturesAndVersionsAreSeen() throws {
        var object = Self.object(Self.shapes[0])
        object.trailer = MadeObject.signature
        object.sections = ["__versions"]
        let appended = try ModuleInfo(object: object.bytes, path: "it.ko")
        #expect(appended.isSigned)
        #expect(appended.hasSymbolVersions)
        object.trailer = []
        object.sections = [".module_sig"]
        #expect(try ModuleInfo(object: object.bytes, path: "it.ko").isSigned)
    }

    @Test(
        arguments: ["gzip", "zstd", "xz"].filter { name in Codec.all.contains { $0.id.name == name } }
    ) func compressedModulesAreRead(_ codec: String) throws {
        let bytes = Self.object(Self.shapes[0]).bytes
        let suffix = ["gzip": "gz", "zstd": "zst", "xz": "xz"][codec] ?? ""
        let encoded = try Codec.named(CodecID(codec)).encode(bytes.span8)
        let store = MemoryStore([
            "/a.ko.\(suffix)": encoded, "/cut.ko": Array(encoded.prefix(encoded.count / 2)),
        ])
        #expect(try ModuleInfo("/a.ko.\(suffix)", in: store)?.name == "it_is")
        #expect(throws: StorageError.self) { try ModuleInfo("/cut.ko", in: store) }
        #expect(try ModuleInfo("/absent.ko", in: store) == nil)
    }

    /// Of a large file only what is needed is read.
    @Test func onlyWhatIsNeededIsRead() throws {
        var object = Self.object(Self.shapes[0])
        object.trailer = [UInt8](repeating: 1, count: 4 << 20)
        let scratch = try TemporaryDirectory()
        try scratch.write("a.ko", object.bytes)
        let store = FolderStore(scratch.root)
        #expect(try ModuleInfo("/a.ko", in: store)?.name == "it_is")
        #expect(store.bytesRead < 8192)
    }

    /// Each refusal, with the bytes that cause it.
    @Test func whatIsNoModuleIsRefused() throws {
        func refused(_ code: KernelModulesCode, _ change: (inout [UInt8]) -> Void) {
            var bytes = Self.object(Self.shapes[0]).bytes
            change(&bytes)
            do {
                _ = try ModuleInfo(object: bytes, path: "it.ko")
                Issue.record("\(code) was not refused")
            } catch {
                #expect(error.isCode(code), "\(error)")
            }
        }
        refused(.badObject) { $0 = [] }
        refused(.badObject) { $0[0] = 0 }
        refused(.badObject) { $0[4] = 3 }
        refused(.badObject) { $0[5] = 0 }
        refused(.badObject) { $0.removeLast($0.count - 40) }
        refused(.badObject) { $0[16] = 3 }  // ET_DYN
        refused(.badObject) { $0.storeLittle(UInt64.max, at: 40) }  // e_shoff
        refused(.badObject) { $0.storeLittle(UInt64(0), at: 40) }
        refused(.badObject) { $0.storeLittle(UInt16(8), at: 58) }  // e_shentsize
        refused(.badObject) { $0.storeLittle(UInt16(0xfeff), at: 60) }  // e_shnum
        refused(.badObject) { $0.storeLittle(UInt16(0x1234), at: 62) }  // e_shstrndx
        let table = Self.object(Self.shapes[0]).bytes.little(40, as: UInt64.self)
        // The size of .modinfo.
        refused(.badObject) { $0.storeLittle(UInt64.max, at: Int(table) + 64 + 32) }
        refused(.badObject) { $0.storeLittle(UInt64.max, at: Int(table) + 64 + 24) }
        // Its name.
        refused(.noInfo) { $0.storeLittle(UInt32.max, at: Int(table) + 64) }
    }

    /// Damage anywhere is an error or another answer, and costs no memory.
    @Test func damagedObjectsAreErrorsOrAnswers() throws {
        var random = SeededRandom(31)
        for shape in Self.shapes {
            let whole = Self.object(shape).bytes
            for _ in 0..<800 {
                var bytes = whole
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    let place =
                        Bool.random(using: &random)
                        ? Int.random(in: 0..<64, using: &random)
                        : bytes.indices.randomElement(using: &random) ?? 0
                    bytes[place] =
                        [0, 1, 0x7f, 0xff, UInt8.random(in: 0...255, using: &random)]
                        .randomElement(using: &random) ?? 0
                }
                if Int.random(in: 0..<4, using: &random) == 0 {
                    bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
                }
                _ = try? ModuleInfo(object: bytes, path: "it.ko")
            }
        }
    }
}
