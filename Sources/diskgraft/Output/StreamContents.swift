import DiskGraft
import Glibc

extension FileContents {
    /// A host file's contents, or standard input for "-". Pipes are read as they come.
    static func source(_ path: String) throws(StorageError) -> FileContents {
        if path == "-" { return FileContents(StreamReader(descriptor: 0, name: "standard input")) }
        guard !HostDirectory.isDirectory(path) else {
            throw StorageError(
                .refused, HostFileCode.notAFile,
                "is a directory; put -r puts a directory and what is in it, and untar an archive", path: path)
        }
        guard HostDirectory.isPipe(path) else {
            return FileContents(try HostFile.open(path, locking: .ignore))
        }
        return FileContents(try StreamReader(path))
    }

    private init(_ stream: StreamReader) {
        self.init(next: { (count) throws(StorageError) in try stream.next(count) })
    }
}

/// Reads what another program writes, through one buffer. A signal ends the waiting.
private final class StreamReader {
    private static let bufferSize = 256 << 10

    private let descriptor: Int32
    private let name: String
    private var buffer = [UInt8](repeating: 0, count: bufferSize)
    private var unread = 0..<0

    init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    /// A named pipe; waits for whoever writes to it.
    init(_ path: String) throws(StorageError) {
        name = path
        while true {
            try Cancellation.check()
            let opened = HostDirectory.openPipe(path)
            let number = errno
            if opened >= 0 {
                descriptor = opened
                return
            }
            guard number == EINTR else { throw .io("pipe", operation: "open", errno: number, path: path) }
        }
    }

    deinit { if descriptor != 0 { close(descriptor) } }

    /// At most `count` of the next bytes; none at the end.
    func next(_ count: Int) throws(StorageError) -> [UInt8] {
        if unread.isEmpty { unread = 0..<(try fill()) }
        let part = unread.prefix(count)
        unread = part.upperBound..<unread.upperBound
        return Array(buffer[part])
    }

    private func fill() throws(StorageError) -> Int {
        while true {
            try Cancellation.check()
            let got = unsafe buffer.withUnsafeMutableBytes {
                unsafe read(descriptor, $0.baseAddress, $0.count)
            }
            let number = errno
            if got >= 0 { return got }
            guard number == EINTR else { throw .io(name, operation: "read", errno: number) }
        }
    }
}
