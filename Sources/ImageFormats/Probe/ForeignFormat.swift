internal import Storage

/// Formats that are recognised so as to be refused by name.
struct ForeignFormat {
    let name: String
    let advice: String

    private struct Signature {
        let offset: Int
        let bytes: [UInt8]
        let name: String
        let advice: String
    }

    private static let qemu = "qemu-img convert"

    /// Magic numbers at the start of the file. Offsets and values: each format's public description.
    private static let signatures: [Signature] = [
        Signature(
            offset: 0, bytes: Array("VMA".utf8) + [0],
            name: "a Proxmox VMA backup (read where its name ends in .vma)",
            advice: "vma extract"),
        Signature(
            offset: 0, bytes: Array("Bochs Virtual HD Image".utf8), name: "a Bochs image", advice: qemu),
        Signature(
            offset: 0, bytes: Array("shdw".utf8), name: "an Apple ASIF image", advice: "diskutil image"),
        Signature(
            offset: 0, bytes: [0x1f, 0x8b, 8], name: "gzip-compressed", advice: "gunzip < FILE > DISK"),
        Signature(
            offset: 0, bytes: Array("BZh".utf8), name: "bzip2-compressed", advice: "bunzip2 < FILE > DISK"),
        Signature(
            offset: 0, bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], name: "xz-compressed",
            advice: "unxz < FILE > DISK"),
        Signature(
            offset: 0, bytes: [0x28, 0xb5, 0x2f, 0xfd], name: "zstd-compressed",
            advice: "unzstd < FILE > DISK"),
        Signature(
            offset: 0, bytes: [0x04, 0x22, 0x4d, 0x18], name: "lz4-compressed", advice: "unlz4 < FILE > DISK"),
        Signature(
            offset: 0, bytes: [0x02, 0x21, 0x4c, 0x18], name: "lz4-compressed", advice: "unlz4 < FILE > DISK"),
        Signature(offset: 0, bytes: Array("LZIP".utf8), name: "lzip-compressed", advice: "lzip -d"),
        Signature(
            offset: 0, bytes: [0x89] + Array("LZO".utf8) + [0, 0x0d, 0x0a, 0x1a, 0x0a],
            name: "lzop-compressed",
            advice: "lzop -d"),
        Signature(
            offset: 0, bytes: Array("7z".utf8) + [0xbc, 0xaf, 0x27, 0x1c], name: "a 7z archive",
            advice: "7z x"),
        Signature(
            offset: 0, bytes: Array("Rar!".utf8) + [0x1a, 0x07], name: "a RAR archive", advice: "unrar x"),
        Signature(offset: 0, bytes: Array("PK".utf8) + [3, 4], name: "a zip archive", advice: "unzip"),
        Signature(
            offset: 257, bytes: Array("ustar".utf8), name: "a tar archive (an OVA or XVA?)", advice: "tar -x"),
    ]

    static func recognise(head: [UInt8], tail: [UInt8]) -> ForeignFormat? {
        for signature in signatures where head.span8.matches(signature.bytes, at: signature.offset) {
            return ForeignFormat(name: signature.name, advice: signature.advice)
        }
        if tail.count >= 512, tail.span8.matches(Array("koly".utf8), at: tail.count - 512) {
            return ForeignFormat(name: "an Apple disk image (DMG)", advice: qemu)
        }
        return nil
    }
}
