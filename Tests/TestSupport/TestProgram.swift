import Storage

/// Small programs for UEFI, written by hand: a head, sections and certificates, nothing that runs.
public enum TestProgram {
    /// A PE program of a machine with these sections, signed under `issuer`.
    public static func bytes(
        machine: UInt16 = 0x8664, sections: [(name: String, bytes: [UInt8])] = [], issuer: String? = nil
    ) -> [UInt8] {
        let sections = sections.isEmpty ? [(name: ".text", bytes: [0xc3])] : sections
        var head = [UInt8](repeating: 0, count: 1024)
        head.replaceSubrange(0..<2, with: [0x4d, 0x5a])
        head.storeLittle(UInt32(64), at: 60)
        head.replaceSubrange(64..<68, with: [0x50, 0x45, 0, 0])
        head.storeLittle(machine, at: 68)
        head.storeLittle(UInt16(sections.count), at: 70)
        head.storeLittle(UInt16(240), at: 84)
        head.storeLittle(UInt16(0x20b), at: 88)
        head.storeLittle(UInt32(1024), at: 148)
        // IMAGE_SUBSYSTEM_EFI_APPLICATION.
        head.storeLittle(UInt16(10), at: 156)
        head.storeLittle(UInt32(16), at: 196)
        var body: [UInt8] = []
        for (index, section) in sections.enumerated() {
            let row = 88 + 240 + index * 40
            let name = Array(section.name.utf8)
            head.replaceSubrange(row..<row + name.count, with: name)
            head.storeLittle(UInt32(section.bytes.count), at: row + 8)
            head.storeLittle(UInt32(section.bytes.count), at: row + 16)
            head.storeLittle(UInt32(head.count + body.count), at: row + 20)
            body += section.bytes
        }
        guard let issuer else { return head + body }
        while body.count % 8 != 0 { body.append(0) }
        let row = certificate(issuer)
        head.storeLittle(UInt32(head.count + body.count), at: 88 + 112 + 32)
        head.storeLittle(UInt32(row.count), at: 88 + 112 + 36)
        return head + body + row
    }

    /// A GRUB that has this built in; `commands` are names in its modules.
    public static func grub(
        prefix: String, script: String? = nil, issuer: String? = nil, is32Bits: Bool = false,
        commands: [String] = []
    ) -> [UInt8] {
        var modules = Array("mimg".utf8) + [UInt8](repeating: 0, count: is32Bits ? 8 : 20)
        func add(_ type: UInt32, _ text: String) {
            let contents = Array(text.utf8) + [0]
            var row = [UInt8](repeating: 0, count: 8)
            row.storeLittle(type, at: 0)
            row.storeLittle(UInt32(8 + contents.count), at: 4)
            modules += row + contents
        }
        add(0, "module")
        for name in commands { add(0, "module\0\(name)\0") }
        if let script { add(2, script) }
        add(3, prefix)
        if is32Bits {
            modules.storeLittle(UInt32(12), at: 4)
            modules.storeLittle(UInt32(modules.count), at: 8)
        } else {
            modules.storeLittle(UInt64(24), at: 8)
            modules.storeLittle(UInt64(modules.count), at: 16)
        }
        return bytes(
            machine: is32Bits ? 0x14c : 0x8664, sections: [(".text", [1, 2, 3]), ("mods", modules)],
            issuer: issuer)
    }

    /// A shim, which names fallback.efi in UTF-16.
    public static func shim(issuer: String? = nil) -> [UInt8] {
        let generations = Array("sbat,1,SBAT Version,sbat,1,url\nshim,4,UEFI shim,shim,1,url\n".utf8)
        return bytes(
            sections: [
                (".data", "\\fbx64.efi".utf8.flatMap { [$0, 0] as [UInt8] }), (".sbat", generations),
            ], issuer: issuer)
    }

    /// One of shim's programs, told by words in UTF-16 alone.
    public static func shimPart(_ words: [String], machine: UInt16 = 0x8664) -> [UInt8] {
        let data = words.flatMap { Array($0.utf8) + [0] }.flatMap { [$0, 0] as [UInt8] }
        return bytes(
            machine: machine,
            sections: [
                (".data", data), (".sbat", Array("sbat,1,S,sbat,1,u\nshim,4,UEFI shim,shim,1,u\n".utf8)),
            ])
    }

    /// A systemd-boot.
    public static let systemdBoot = bytes(
        sections: [(".sdmagic", Array("#### LoaderInfo: systemd-boot 252 ####".utf8))])

    /// A kernel with all that it needs.
    public static let unifiedKernel = bytes(sections: [(".osrel", [1]), (".cmdline", [2]), (".linux", [3])])

    /// A table of certificates of one row: a PKCS #7 message whose signature names its issuer.
    private static func certificate(_ issuer: String) -> [UInt8] {
        func value(_ tag: UInt8, _ contents: [UInt8]) -> [UInt8] {
            contents.count < 128
                ? [tag, UInt8(contents.count)] + contents
                : [tag, 0x82, UInt8(contents.count >> 8), UInt8(contents.count & 0xff)] + contents
        }
        func name(_ type: UInt8, _ text: String) -> [UInt8] {
            value(0x31, value(0x30, value(0x06, [0x55, 0x04, type]) + value(0x0c, Array(text.utf8))))
        }
        let issuerName = value(0x30, name(0x0a, "An organization") + name(0x03, issuer))
        let signer = value(0x30, value(0x02, [1]) + value(0x30, issuerName + value(0x02, [7])))
        let signed = value(
            0x30, value(0x02, [1]) + value(0x31, []) + value(0x30, []) + value(0x31, signer))
        let message = value(0x30, value(0x06, [0x2a, 0x86, 0x48]) + value(0xa0, signed))
        var row = [UInt8](repeating: 0, count: 8)
        row.storeLittle(UInt32(8 + message.count), at: 0)
        row.storeLittle(UInt16(0x200), at: 4)
        row.storeLittle(UInt16(2), at: 6)
        row += message
        while row.count % 8 != 0 { row.append(0) }
        return row
    }
}
