internal import Storage

/// Names for people of MBR partition types (the list that all fdisks share).
enum MBRType {
    static let extendedTypes: [UInt8] = [0x05, 0x0f, 0x85]
    static let protective: UInt8 = 0xee
    static let bsdTypes: [UInt8] = [0xa5, 0xa6, 0xa9]
    static let ldm: UInt8 = 0x42

    static func name(_ type: UInt8) -> String {
        names.first { $0.type == type }?.name ?? "type " + [type].hexString
    }

    private static let names: [(type: UInt8, name: String)] = [
        (0x01, "FAT12"), (0x04, "FAT16 (small)"), (0x05, "Extended"), (0x06, "FAT16"),
        (0x07, "NTFS or exFAT"),
        (0x0b, "FAT32"), (0x0c, "FAT32 (LBA)"), (0x0e, "FAT16 (LBA)"), (0x0f, "Extended (LBA)"),
        (0x11, "Hidden FAT12"), (0x12, "Vendor diagnostics"), (0x14, "Hidden FAT16 (small)"),
        (0x16, "Hidden FAT16"),
        (0x17, "Hidden NTFS"), (0x1b, "Hidden FAT32"), (0x1c, "Hidden FAT32 (LBA)"),
        (0x1e, "Hidden FAT16 (LBA)"),
        (0x27, "Windows recovery"), (0x39, "Plan 9"), (0x41, "PowerPC PReP boot"), (0x42, "Windows LDM"),
        (0x63, "GNU HURD or SysV"), (0x64, "Novell Netware 286"), (0x65, "Novell Netware 386"),
        (0x81, "Minix"),
        (0x82, "Linux swap or Solaris"), (0x83, "Linux"), (0x84, "Hibernation"), (0x85, "Linux extended"),
        (0x88, "Linux plain text"), (0x8e, "Linux LVM"), (0x9f, "BSD/OS"), (0xa0, "Laptop hibernation"),
        (0xa5, "FreeBSD"), (0xa6, "OpenBSD"), (0xa8, "Darwin UFS"), (0xa9, "NetBSD"), (0xab, "Darwin boot"),
        (0xaf, "HFS or HFS+"), (0xbe, "Solaris boot"), (0xbf, "Solaris"), (0xda, "Non-file-system data"),
        (0xde, "Dell utility"), (0xea, "Linux extended boot"), (0xeb, "BeOS"), (0xee, "GPT protective"),
        (0xef, "EFI System"),
        (0xfb, "VMware VMFS"), (0xfc, "VMware VMKCORE"), (0xfd, "Linux RAID autodetect"),
    ]
}
