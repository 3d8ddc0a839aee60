internal import Storage

/// File systems that came in place of an archive, by the numbers that Linux knows them by (init/do_mounts_rd.c).
package enum OldRootKind: String, Sendable {
    /// ext2 or a later one.
    case ext2
    /// cramfs.
    case cramfs
    /// romfs.
    case romfs
    /// squashfs.
    case squashfs
    /// minix.
    case minix

    /// How many bytes of an image it takes to know it.
    static let headByteCount = 2048

    /// What begins with `head`; nil for an archive and for what is not known.
    init?(_ head: [UInt8]) {
        let bytes = head.span8
        if bytes.matches([0x53, 0xef], at: 1024 + 56) {
            self = .ext2
        } else if bytes.matches(Array("-rom1fs-".utf8)) {
            self = .romfs
        } else if bytes.matches([0x45, 0x3d, 0xcd, 0x28]) {
            self = .cramfs
        } else if bytes.matches(Array("hsqs".utf8)) {
            self = .squashfs
        } else if bytes.matches([0x7f, 0x13], at: 1024 + 16) || bytes.matches([0x8f, 0x13], at: 1024 + 16) {
            self = .minix
        } else {
            return nil
        }
    }
}
