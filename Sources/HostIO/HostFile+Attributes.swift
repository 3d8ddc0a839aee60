internal import CLinux
internal import Glibc
public import Storage

extension HostFile {
    /// By its file system; those in memory and on old network shares keep none.
    public var keepsAttributes: Bool { clinux_keeps_attributes(descriptor) == 1 }

    /// Durable when it returns.
    public func setAttribute(_ name: String, to value: [UInt8]?) throws(StorageError) {
        let status = unsafe name.withHostPath { name in
            guard let value else { return unsafe clinux_remove_attribute(descriptor, name) }
            return unsafe value.withUnsafeBytes {
                unsafe clinux_set_attribute(descriptor, name, $0.baseAddress, $0.count)
            }
        }
        guard status == 0 else {
            // What is to be removed need not be there.
            if value == nil { return }
            throw .io("host file", operation: "fsetxattr", errno: errno, path: path)
        }
        // fdatasync need not write attributes.
        _ = try call("fsync") { Int(fsync(descriptor)) }
    }

    /// An extended attribute of the file at `path`, through links, of at most `limit` bytes; nil when it has none.
    package static func attribute(_ name: String, ofFile path: String, limit: Int) -> [UInt8]? {
        var value = [UInt8](repeating: 0, count: limit)
        let length = unsafe path.withHostPath { path in
            unsafe name.withHostPath { name in
                unsafe value.withUnsafeMutableBytes {
                    unsafe clinux_get_attribute(path, name, $0.baseAddress, $0.count)
                }
            }
        }
        guard let count = Int(exactly: length), count >= 0 else { return nil }
        return Array(value.prefix(count))
    }
}
