internal import CLinux
internal import Glibc

/// A note on the image itself that a change of it may be half done, and where its record is: found by every name of the
/// file, in other directories too, wherever it was moved, and in what copied it with its attributes. It is durable before the
/// record is hot, and goes when the record says that the change is complete or taken back. So a mark whose record says that
/// means nothing, and one whose record is gone means that nobody can tell.
///
/// The extended attribute `user.diskgraft.undo`: the transaction's identifier in hexadecimal, a space, and the record's absolute
/// path. Where the file system keeps none, a record is found beside its file only.
struct UndoMark: Equatable {
    private static let attribute = "user.diskgraft.undo"
    /// PATH_MAX, an identifier and the space.
    private static let sizeLimit = 4096 + 33

    let transactionID: [UInt8]
    let recordPath: String

    init(transactionID: [UInt8], recordPath: String) {
        self.transactionID = transactionID
        self.recordPath = HostDirectory.absolutePath(recordPath)
    }

    /// The mark of the file at `path`, through links; nil when it has none, or what is none.
    init?(of path: String) {
        var value = [UInt8](repeating: 0, count: Self.sizeLimit)
        let length = unsafe path.withHostPath { path in
            unsafe Self.attribute.withHostPath { name in
                unsafe value.withUnsafeMutableBytes {
                    unsafe clinux_get_attribute(path, name, $0.baseAddress, $0.count)
                }
            }
        }
        guard let count = Int(exactly: length), count > 33, value[32] == UInt8(ascii: " "),
            let id = Self.bytes(ofHex: value[..<32])
        else { return nil }
        transactionID = id
        recordPath = String(hostBytes: value[33..<count])
    }

    private static func bytes(ofHex digits: ArraySlice<UInt8>) -> [UInt8]? {
        let values = digits.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard values.count == digits.count else { return nil }
        return stride(from: 0, to: values.count - 1, by: 2).map { UInt8(values[$0] * 16 + values[$0 + 1]) }
    }

    /// Marks a file, durably. A file that cannot be marked stays without, but where it has further names.
    func set(on file: HostFile) throws(StorageError) {
        let value = transactionID.hexDigits + [UInt8(ascii: " ")] + recordPath.hostBytes
        let status = unsafe Self.attribute.withHostPath { name in
            unsafe value.withUnsafeBytes {
                unsafe clinux_set_attribute(file.descriptor, name, $0.baseAddress, $0.count)
            }
        }
        guard status != 0 else { return try Self.sync(file) }
        let number = errno
        // One of an earlier change would speak of the wrong record.
        try Self.clear(on: file)
        // Said when it was opened.
        guard !file.isBlockDevice, file.keepsAttributes, file.names.count > 1 else { return }
        throw .io("host file", operation: "fsetxattr", errno: number, path: file.path)
    }

    /// Takes a file's mark off, durably.
    static func clear(on file: HostFile) throws(StorageError) {
        let status = unsafe attribute.withHostPath { unsafe clinux_remove_attribute(file.descriptor, $0) }
        if status == 0 { try sync(file) }
    }

    /// fdatasync need not write attributes.
    private static func sync(_ file: HostFile) throws(StorageError) {
        while fsync(file.descriptor) != 0 {
            let number = errno
            if number == EINTR { continue }
            throw .io("host file", operation: "fsync", errno: number, path: file.path)
        }
    }
}

extension HostFile {
    fileprivate var keepsAttributes: Bool { clinux_keeps_attributes(descriptor) == 1 }

    /// How many names the file has, where a change that is cut off would not be seen by those in other directories;
    /// else nil.
    public var namesWithoutMark: UInt64? {
        guard !isBlockDevice, !keepsAttributes else { return nil }
        let count = names.count
        return count > 1 ? count : nil
    }
}
