import Initramfs
import Storage
import TestSupport
import Testing

@Suite struct UnifiedKernelTests {
    /// A PE file with these sections, as ukify writes them: padded to 512 bytes, their own length as that in memory.
    static func image(_ sections: [(name: String, bytes: [UInt8])]) -> [UInt8] {
        var head = [UInt8](repeating: 0, count: 512)
        head[0] = UInt8(ascii: "M")
        head[1] = UInt8(ascii: "Z")
        head.storeLittle(UInt32(64), at: 60)
        head.replaceSubrange(64..<68, with: Array("PE\0\0".utf8))
        head.storeLittle(UInt16(sections.count), at: 70)
        head.storeLittle(UInt16(40), at: 84)
        var body: [UInt8] = []
        for (index, section) in sections.enumerated() {
            let at = 64 + 24 + 40 + index * 40
            head.replaceSubrange(at..<at + section.name.utf8.count, with: Array(section.name.utf8))
            let padded = (section.bytes.count + 511) / 512 * 512
            head.storeLittle(UInt32(section.bytes.count), at: at + 8)
            head.storeLittle(UInt32(padded), at: at + 16)
            head.storeLittle(UInt32(512 + body.count), at: at + 20)
            body += section.bytes + [UInt8](repeating: 0, count: padded - section.bytes.count)
        }
        return head + body
    }

    private static let archive = RawArchive.make { $0.file("init", "x") }
    private static let whole = image([
        (".text", [1, 2, 3]), (".osrel", Array("ID=debian\n".utf8)),
        (".cmdline", Array("root=/dev/sda1 ro\n\0".utf8)),
        (".uname", Array("6.1.0".utf8)), (".initrd", archive), (".linux", [UInt8](repeating: 9, count: 700)),
    ])

    @Test func sectionsAreRead() throws {
        let image = try #require(try UnifiedKernelImage(ByteSource(Self.whole)))
        #expect(image.sections.map(\.name) == [".text", ".osrel", ".cmdline", ".uname", ".initrd", ".linux"])
        #expect(try image.commandLine() == Array("root=/dev/sda1 ro".utf8))
        #expect(try image.release() == Array("6.1.0".utf8))
        #expect(try image.section(".linux")?.byteCount == 700)
        let initramfs = try #require(try image.initramfs())
        let contents = try InitramfsImage(initramfs).contents { _, _ in true }
        #expect(contents.text("init") == "x")
        #expect(try image.section(".dtb") == nil)
    }

    /// objcopy, which ukify and dracut use, lays them out.
    @Test func whatObjcopyMakesIsRead() throws {
        let stub = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
        guard Tool.has("objcopy"), (try? fileBytes(stub)) != nil else {
            return print("objcopy or systemd's stub is not installed")
        }
        let directory = try TemporaryDirectory()
        let initrd = try directory.write("initrd", Self.archive)
        let line = try directory.write("line", "quiet")
        let linux = try directory.write("linux", "kernel")
        let output = directory.path("uki")
        try Tool.run(
            "objcopy",
            [
                "--add-section", ".cmdline=\(line)", "--change-section-vma", ".cmdline=0x30000",
                "--add-section", ".linux=\(linux)", "--change-section-vma", ".linux=0x2000000",
                "--add-section", ".initrd=\(initrd)", "--change-section-vma", ".initrd=0x3000000", stub,
                output,
            ])
        let image = try #require(try UnifiedKernelImage(ByteSource(try fileBytes(output))))
        #expect(try image.commandLine() == Array("quiet".utf8))
        let contents = try InitramfsImage(try #require(try image.initramfs())).contents()
        #expect(contents.failure == nil)
        #expect(contents.file(at: "init")?.size == 1)
    }

    @Test func whatIsNoUnifiedImageIsNone() throws {
        for bytes in [[], Array("MZ".utf8), Self.archive, Self.image([(".text", [1])])] as [[UInt8]] {
            #expect(try UnifiedKernelImage(ByteSource(bytes)) == nil)
        }
    }

    @Test func contradictionsAreRefused() throws {
        var sections = Self.whole
        sections.storeLittle(UInt16(9999), at: 70)
        var outside = Self.whole
        outside.storeLittle(UInt32(0xffff_ff00), at: 64 + 24 + 40 + 20)
        let cut = Array(Self.whole.prefix(200))
        for bytes in [sections, outside, cut] {
            let error = #expect(throws: StorageError.self) { try UnifiedKernelImage(ByteSource(bytes)) }
            #expect(error?.isCode(InitramfsCode.badUnifiedImage) == true)
        }
        let long = Self.image([(".linux", [1]), (".cmdline", [UInt8](repeating: 65, count: 70_000))])
        let error = #expect(throws: StorageError.self) {
            try UnifiedKernelImage(ByteSource(long))?.commandLine()
        }
        #expect(error?.isCode(InitramfsCode.badUnifiedImage) == true)
    }

    @Test func damageDoesNotTrap() throws {
        var random = SeededRandom(8)
        for _ in 0..<2000 {
            var bytes = Self.whole
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<340, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do {
                guard let image = try UnifiedKernelImage(ByteSource(bytes)) else { continue }
                _ = try image.commandLine()
                if let initramfs = try image.initramfs() { _ = try InitramfsImage(initramfs).contents() }
            } catch {
                #expect(error.kind == .corrupt)
            }
        }
    }
}
