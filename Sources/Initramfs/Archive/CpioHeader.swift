internal import Storage

/// The header of an entry of the "new" cpio formats: the magic number and 13 fields of eight hexadecimal digits
/// (Documentation/driver-api/early-userspace/buffer-format.rst).
struct CpioHeader {
    static let byteCount = 110
    /// PATH_MAX: Linux passes over entries with longer names and links.
    static let nameLimit: UInt32 = 4096

    /// Whether files carry a checksum ("070702").
    let isChecked: Bool
    private let fields: [UInt32]

    var inode: UInt32 { fields[0] }
    var mode: UInt32 { fields[1] }
    var owner: UInt32 { fields[2] }
    var group: UInt32 { fields[3] }
    var linkCount: UInt32 { fields[4] }
    var size: UInt32 { fields[6] }
    var deviceMajor: UInt32 { fields[7] }
    var deviceMinor: UInt32 { fields[8] }
    var nodeMajor: UInt32 { fields[9] }
    var nodeMinor: UInt32 { fields[10] }
    /// With the NUL at its end.
    var nameSize: UInt32 { fields[11] }
    var checksum: UInt32 { fields[12] }

    /// From its bytes, which are all there; `offset` is where they lie, for errors.
    init(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
        let magic = String(decoding: bytes.prefix(6), as: UTF8.self)
        switch magic {
        case "070701": isChecked = false
        case "070702": isChecked = true
        case "070707":
            throw .initramfs(
                .corrupt, .badHeader,
                "an archive is in the old portable cpio format, which Linux does not unpack", offset: offset)
        default:
            throw .initramfs(.corrupt, .badHeader, "an entry does not begin as one", offset: offset)
        }
        var fields: [UInt32] = []
        for index in 0..<13 {
            var value: UInt32 = 0
            for digit in bytes[6 + index * 8..<14 + index * 8] {
                guard let number = Self.value(digit) else {
                    throw .initramfs(
                        .corrupt, .badHeader, "an entry's header holds what is no number", offset: offset,
                        field: Self.names[index])
                }
                value = value << 4 | number
            }
            fields.append(value)
        }
        self.fields = fields
    }

    /// Linux passes over an entry whose name or link has another length, and says nothing (do_header).
    var isPassedOver: Bool {
        !(1...Self.nameLimit).contains(nameSize)
            || mode & 0o170000 == 0o120000 && size > Self.nameLimit
    }

    private static let names = [
        "c_ino", "c_mode", "c_uid", "c_gid", "c_nlink", "c_mtime", "c_filesize", "c_devmajor", "c_devminor",
        "c_rdevmajor", "c_rdevminor", "c_namesize", "c_check",
    ]

    private static func value(_ digit: UInt8) -> UInt32? {
        switch digit {
        case 48...57: UInt32(digit - 48)
        case 65...70: UInt32(digit - 55)
        case 97...102: UInt32(digit - 87)
        default: nil
        }
    }
}
