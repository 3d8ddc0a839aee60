internal import Glibc
internal import Storage

// Names and paths as the kernel takes and gives them.

extension String {
    /// A path, name or argument that the host gave, up to its NUL.
    public init(hostPath pointer: UnsafePointer<CChar>) {
        let length = unsafe strlen(pointer)
        let bytes = unsafe UnsafeBufferPointer(start: pointer, count: length).map { UInt8(bitPattern: $0) }
        self.init(hostBytes: bytes)
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
        let text = (contains(0) ? [] : self).map { CChar(bitPattern: $0) } + [0]
        return unsafe text.withUnsafeBufferPointer { buffer in
            var end: CChar = 0
            guard let base = buffer.baseAddress else { return unsafe body(&end) }
            return unsafe body(base)
        }
    }
}
