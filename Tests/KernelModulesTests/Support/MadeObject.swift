import KernelModules
import Storage

/// A kernel module made here: a relocatable ELF object with `.modinfo` and little else.
struct MadeObject {
    var is64Bit = true
    var isBigEndian = false
    var machine: UInt16 = 62
    var type: UInt16 = 1
    /// `KEY=VALUE` each.
    var info: [String] = []
    /// Symbols that it gives to others, and those that it takes from them: what depmod makes dependencies of.
    var exports: [String] = []
    var imports: [String] = []
    /// Further sections without bytes.
    var sections: [String] = []
    /// Whether the number of sections and the index of their names stand in the first of them.
    var isExtended = false
    /// Bytes behind the object.
    var trailer: [UInt8] = []

    static let signature = [UInt8](repeating: 7, count: 20) + Array("~Module signature appended~\n".utf8)

    /// A module as builders make them today.
    static func plain(
        _ name: String, release: String, depends: [String] = [], aliases: [String] = [], soft: [String] = []
    ) -> MadeObject {
        MadeObject(
            info: aliases.map { "alias=\($0)" } + soft.map { "softdep=\($0)" }
                + [
                    "license=GPL", "depends=\(depends.joined(separator: ","))", "name=\(name)",
                    "vermagic=\(release) SMP mod_unload ",
                ],
            exports: ["symbol_of_\(name)"], imports: depends.map { "symbol_of_\($0)" })
    }

    var bytes: [UInt8] {
        var names: [UInt8] = [0]
        var nameOffsets: [Int] = []
        let information = Self.terminated(info)
        var strings: [UInt8] = [0]
        var symbols = symbol(name: 0, section: 0)
        // depmod takes what lies in the section of exported symbols' names by the prefix of their symbols.
        for name in exports {
            symbols += symbol(name: strings.count, section: 0xfff1)
            strings += Array("__crc_\(name)".utf8) + [0]
        }
        for name in imports {
            symbols += symbol(name: strings.count, section: 0)
            strings += Array(name.utf8) + [0]
        }
        let exported = Self.terminated(exports)
        var contents: [(name: String, type: UInt32, bytes: [UInt8], link: UInt32)] = [
            ("", 0, [], 0), (".modinfo", 1, information, 0), ("__ksymtab_strings", 1, exported, 0),
            (".strtab", 3, strings, 0), (".symtab", 2, symbols, 3),
        ]
        contents += sections.map { ($0, 1, [1, 2, 3], 0) }
        contents.append((".shstrtab", 3, [], 0))
        for section in contents {
            nameOffsets.append(names.count)
            names += Array(section.name.utf8) + [0]
        }
        contents[contents.count - 1].bytes = names

        let headerSize = is64Bit ? 64 : 52
        var body = [UInt8](repeating: 0, count: headerSize)
        var offsets: [Int] = []
        for section in contents {
            while body.count % 8 != 0 { body.append(0) }
            offsets.append(body.count)
            body += section.bytes
        }
        while body.count % 8 != 0 { body.append(0) }
        let table = body.count
        for (index, section) in contents.enumerated() {
            let isNull = index == 0
            body += sectionHeader(
                name: isNull ? 0 : nameOffsets[index], type: section.type,
                offset: isNull ? 0 : offsets[index],
                size: isNull ? (isExtended ? contents.count : 0) : section.bytes.count,
                link: isNull && isExtended ? UInt32(contents.count - 1) : section.link)
        }
        let header =
            [0x7f, 0x45, 0x4c, 0x46, is64Bit ? 2 : 1, isBigEndian ? 2 : 1, 1]
            + [UInt8](repeating: 0, count: 9)
            + half(type) + half(machine) + word(1) + long(0) + long(0) + long(UInt64(table)) + word(0)
            + half(UInt16(headerSize)) + half(0) + half(0) + half(is64Bit ? 64 : 40)
            + half(isExtended ? 0 : UInt16(contents.count))
            + half(isExtended ? 0xffff : UInt16(contents.count - 1))
        body.replaceSubrange(0..<headerSize, with: header)
        return body + trailer
    }

    private static func terminated(_ texts: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for text in texts { bytes += Array(text.utf8) + [0] }
        return bytes
    }

    private func symbol(name: Int, section: UInt16) -> [UInt8] {
        // Global, without a type.
        is64Bit
            ? word(UInt32(name)) + [0x10, 0] + half(section) + long(0) + long(0)
            : word(UInt32(name)) + word(0) + word(0) + [0x10, 0] + half(section)
    }

    private func sectionHeader(name: Int, type: UInt32, offset: Int, size: Int, link: UInt32) -> [UInt8] {
        word(UInt32(name)) + word(type) + long(0) + long(0) + long(UInt64(offset)) + long(UInt64(size))
            + word(link) + word(0) + long(1) + long(type == 2 ? (is64Bit ? 24 : 16) : 0)
    }

    private func half(_ value: UInt16) -> [UInt8] { ordered([UInt8(value >> 8), UInt8(value & 0xff)]) }
    private func word(_ value: UInt32) -> [UInt8] {
        ordered((0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) })
    }
    /// An address, an offset or a size.
    private func long(_ value: UInt64) -> [UInt8] {
        guard is64Bit else { return word(UInt32(truncatingIfNeeded: value)) }
        return ordered((0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) })
    }
    private func ordered(_ big: [UInt8]) -> [UInt8] { isBigEndian ? big : big.reversed() }
}

/// A kernel's modules made here, in memory or in a folder.
struct MadeTree {
    static let release = "5.4.0-made"

    var files: [String: [UInt8]] = [:]
    var directory = "/lib/modules/\(MadeTree.release)"

    mutating func add(_ path: String, _ object: MadeObject) { files["\(directory)/\(path)"] = object.bytes }
    mutating func add(_ name: String, text: String) { files["\(directory)/\(name)"] = Array(text.utf8) }

    /// A tree with a little of everything: virtio, SCSI, a file system that asks for a checksum.
    static func usual() -> MadeTree {
        var tree = MadeTree()
        let modules: [(path: String, object: MadeObject)] = [
            ("kernel/drivers/virtio/virtio.ko", .plain("virtio", release: release)),
            (
                "kernel/drivers/virtio/virtio_ring.ko",
                .plain("virtio_ring", release: release, depends: ["virtio"])
            ),
            (
                "kernel/drivers/virtio/virtio_pci.ko",
                .plain(
                    "virtio_pci", release: release, depends: ["virtio_ring", "virtio"],
                    aliases: ["pci:v00001AF4d*sv*sd*bc*sc*i*"])
            ),
            (
                "kernel/drivers/block/virtio_blk.ko",
                .plain(
                    "virtio_blk", release: release, depends: ["virtio_ring", "virtio"],
                    aliases: ["virtio:d00000002v*"])
            ),
            ("kernel/drivers/scsi/scsi_mod.ko", .plain("scsi_mod", release: release)),
            (
                "kernel/drivers/scsi/sd_mod.ko",
                .plain("sd_mod", release: release, depends: ["scsi_mod"], aliases: ["scsi:t-0x00*", "sd"])
            ),
            (
                "kernel/drivers/scsi/virtio-scsi.ko",
                .plain(
                    "virtio_scsi", release: release, depends: ["scsi_mod", "virtio_ring", "virtio"],
                    aliases: ["virtio:d00000008v*"])
            ),
            (
                "kernel/drivers/net/vmxnet3.ko",
                .plain("vmxnet3", release: release, aliases: ["pci:v000015ADd000007B0sv*sd*bc*sc*i*"])
            ),
            (
                "kernel/crypto/crc32c_generic.ko",
                .plain("crc32c_generic", release: release, aliases: ["crypto-crc32c", "crc32c"])
            ),
            ("kernel/fs/jbd2/jbd2.ko", .plain("jbd2", release: release)),
            (
                "kernel/fs/ext4/ext4.ko",
                .plain(
                    "ext4", release: release, depends: ["jbd2"], aliases: ["fs-ext4", "ext3", "fs-ext3"],
                    soft: ["pre: crc32c post: no_such_module"])
            ),
        ]
        for module in modules { tree.add(module.path, module.object) }
        tree.add("modules.order", text: modules.map { $0.path + "\n" }.joined())
        tree.add("modules.builtin", text: "kernel/drivers/ata/ata_piix.ko\nkernel/lib/libcrc32c.ko\n")
        return tree
    }

    /// The same with depmod's indexes, in memory.
    func indexed() throws -> MadeTree {
        let folder = try TemporaryFolder(self)
        var tree = self
        for name in try folder.names() where name.hasPrefix("modules.") {
            tree.files["\(directory)/\(name)"] = try folder.bytes(name)
        }
        return tree
    }

    func tree() throws -> ModuleTree { try ModuleTree(release: Self.release, in: MemoryStore(files)) }
}
