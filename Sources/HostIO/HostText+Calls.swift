internal import Glibc
internal import Storage

// Names and paths as the kernel takes and gives them.

extension String {
    /// A path, name or argument that the host gave, up to its NUL.
    public init(hostPath pointer: UnsafePointer<CChar>) {
        let length = unsafe strlen(pointer)
        self = unsafe pointer.withMemoryRebound(to: UInt8.self, capacity: length) { bytes in
            unsafe String(hostBytes: UnsafeBufferPointer(start: bytes, count: length))
        }
    }

    /// Calls `body` with the path as the kernel takes it. A path with NUL in it, which no file has, becomes the empty
    /// one, for which every call says ENOENT.
    func withHostPath<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        unsafe hostBytes.withHostName(body)
    }
}

extension [UInt8] {
    /// The same for bytes.
    func withHostName<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        var text = contains(0) ? [] : self
        text.append(0)
        return unsafe text.withUnsafeBytes { bytes in
            var end: CChar = 0
            guard let base = unsafe bytes.bindMemory(to: CChar.self).baseAddress else {
                return unsafe body(&end)
            }
            return unsafe body(base)
        }
    }
}
