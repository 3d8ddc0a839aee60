internal import CLinux
internal import Glibc
public import Storage

/// What a file of the host says of an extended attribute.
package enum HostAttribute: Equatable {
    /// Its bytes.
    case value([UInt8])
    /// The file has none of that name.
    case none
    /// The file system keeps none, so that nothing is known.
    case notKept

    /// The bytes, where there are some.
    package var bytes: [UInt8]? { if case .value(let bytes) = self { bytes } else { nil } }
}

extension HostFile {
    /// By its file system; those in memory and on old network shares keep none. What cannot be told counts as kept: the call
    /// that needs it says why.
    public var keepsAttributes: Bool {
        !isBlockDevice && (clinux_keeps_attributes(descriptor) == 1 || !Self.keepNone.contains(errno))
    }

    /// What calls say where a file system keeps no attributes of users.
    private static let keepNone = [EOPNOTSUPP, ENOSYS, EINVAL]

    /// Durable when it returns.
    public func setAttribute(_ name: String, to value: [UInt8]?) throws(StorageError) {
        // Devices keep none, whatever their file system does.
        if isBlockDevice { return }
        let status = unsafe name.withHostPath { name in
            guard let value else { return unsafe clinux_remove_attribute(descriptor, name) }
            return unsafe value.withUnsafeBytes {
                unsafe clinux_set_attribute(descriptor, name, $0.baseAddress, $0.count)
            }
        }
        guard status == 0 else {
            let number = errno
            // What is to be removed need not be there.
            if value == nil, number == ENODATA || Self.keepNone.contains(number) { return }
            throw .io("host file", operation: "fsetxattr", errno: number, path: path)
        }
        // fdatasync need not write attributes.
        _ = try call("fsync") { Int(fsync(descriptor)) }
    }

    /// Whether an error of `setAttribute` says that the file system keeps none.
    package static func keepsNone(_ error: StorageError) -> Bool {
        error.errno.map(keepNone.contains) ?? false
    }

    /// An extended attribute of the file at `path`, through links; one that is longer than `limit` bytes is empty, and where
    /// there is no file there is none. Throws `io` where that cannot be told.
    package static func attribute(
        _ name: String, ofFile path: String, limit: Int
    ) throws(StorageError) -> HostAttribute {
        var value = [UInt8](repeating: 0, count: limit)
        let length = unsafe path.withHostPath { path in
            unsafe name.withHostPath { name in
                unsafe value.withUnsafeMutableBytes {
                    unsafe clinux_get_attribute(path, name, $0.baseAddress, $0.count)
                }
            }
        }
        guard let count = Int(exactly: length), count >= 0 else {
            let number = errno
            switch number {
            case ENODATA, ENOENT, ENOTDIR: return .none
            case ERANGE, E2BIG: return .value([])
            case _ where keepNone.contains(number): return .notKept
            default: throw .io("host file", operation: "getxattr", errno: number, path: path)
            }
        }
        return .value(Array(value.prefix(count)))
    }
}
