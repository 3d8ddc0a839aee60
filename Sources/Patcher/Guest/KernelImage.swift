internal import GuestTree
internal import Storage

/// The head of an x86 kernel image (Documentation/arch/x86/boot.rst).
enum KernelImage {
    private static let magicOffset = 0x202
    private static let versionOffset = 0x20e
    /// Where the protocol's offsets begin.
    private static let base = 0x200
    /// Behind the last byte that the version's 16-bit offset reaches, and a version.
    static let headLength = base + 0x1_0000 + 256

    /// The release that a kernel was built as: "3.10.0-514.el7.x86_64"; nil when it is none of this kind.
    static func release(of path: String, in tree: some GuestTree) throws(StorageError) -> String? {
        guard let file = try tree.regularFile(GuestPath(path)) else { return nil }
        return release(in: try tree.head(of: file, byteCount: headLength))
    }

    /// The machine of the first kernel in /boot whose head tells one.
    static func machine(in tree: some GuestTree) throws(StorageError) -> PEImage.Machine? {
        let names = try tree.names(in: "/boot").filter { $0.hasPrefix("vmlinu") || $0.hasPrefix("bzImage") }
        for name in names.prefix(nameLimit) {
            guard let file = try tree.regularFile(GuestPath("/boot/\(name)")) else { continue }
            // With a stub for UEFI it is a program for it.
            let head = try tree.head(of: file, byteCount: PEImage.headByteCount)
            if let machine = PEImage(head: head)?.machine { return machine }
        }
        return nil
    }

    private static let nameLimit = 16

    /// Whether a file is a kernel, of x86 or of 64-bit ARM (Documentation/arch/arm64/booting.rst).
    static func isLinux(_ head: [UInt8]) -> Bool {
        head.has("HdrS", at: magicOffset, in: 0..<head.count)
            || head.has("ARMd", at: armMagicOffset, in: 0..<head.count)
    }

    private static let armMagicOffset = 56

    static func release(in head: [UInt8]) -> String? {
        guard head.count > versionOffset + 1, head.has("HdrS", at: magicOffset, in: 0..<head.count) else {
            return nil
        }
        let offset = Int(head[versionOffset]) | Int(head[versionOffset + 1]) << 8
        guard offset > 0, base + offset < head.count else { return nil }
        let words = head[(base + offset)...].prefix(128).prefix { $0 > UInt8(ascii: " ") && $0 < 0x7f }
        return words.isEmpty ? nil : String(decoding: words, as: UTF8.self)
    }
}
