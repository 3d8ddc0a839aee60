public import Storage

extension GuestFiles {
    /// Copies a file, or a directory with everything below it, to the host: contents with their holes, the low
    /// nine permission bits, modification times, symbolic links as they are. Owners, devices, pipes and sockets
    /// stay behind; `report` hears of what was left out.
    ///
    /// `destination` must not exist. A symbolic link of the guest is never followed on the host: every name is made
    /// anew, below directories made here.
    public func extract(
        _ top: File, to destination: String, isCancelled: () -> Bool = { false },
        progress: (UInt64) -> Void = { _ in }, report: (String) -> Void = { _ in }
    ) throws(StorageError) {
        // Directories get their times last: making files in them would change them.
        var directories: [(path: String, file: File)] = []
        var done: UInt64 = 0
        try walk(top) { (visit) throws(StorageError) in
            if isCancelled() {
                throw StorageError(.refused, layer: "guest", code: "cancelled", "was interrupted")
            }
            guard case .file(let file) = visit else {
                if case .unreadable(_, let error) = visit { report(error.description) }
                return true
            }
            let relative = file.path.dropFirst(top.path.count)
            guard let below = String(validating: relative, as: UTF8.self) else {
                report("\(file.path.displayText): a name that is not UTF-8 is left out; use tar")
                return true
            }
            let separator = top.path == [UInt8(ascii: "/")] && !below.isEmpty ? "/" : ""
            let path = destination + separator + below
            switch file.attributes.type {
            case .directory:
                try HostDirectory.create(path, mode: 0o700)
                directories.append((path, file))
            case .regular:
                done += try self.copy(file, to: path)
                progress(done)
            case .symbolicLink:
                try HostDirectory.createSymbolicLink(path, target: try self.linkTarget(of: file))
                try HostDirectory.setAttributes(
                    of: path, permissions: nil, modified: file.attributes.modificationTime)
            case .characterDevice, .blockDevice, .fifo, .socket:
                report("\(file.path.displayText): a \(file.attributes.type.rawValue) is left out")
            }
            return true
        }
        for (path, file) in directories.reversed() {
            try HostDirectory.setAttributes(
                of: path, permissions: file.attributes.permissions, modified: file.attributes.modificationTime
            )
        }
    }

    private func copy(_ file: File, to path: String) throws(StorageError) -> UInt64 {
        let output = try HostFile.create(path, mode: 0o600)
        let fileSystem = try fileSystem(of: file)
        let size = file.attributes.size
        var buffer = [UInt8](repeating: 0, count: Int(min(max(size, 1), 1 << 20)))
        var position: UInt64 = 0
        while position < size {
            let extent = try fileSystem.nextExtent(of: file.id, at: position)
            let end = min(extent.range.upperBound, size)
            guard end > position else { break }
            if extent.kind == .zero {
                position = end
                continue
            }
            let count = Int(min(end - position, UInt64(buffer.count)))
            let got = try buffer.withMutableBytes { (span) throws(StorageError) -> Int in
                var part = span.part(0..<count)
                return try fileSystem.read(file.id, into: &part, at: position)
            }
            guard got > 0 else { break }
            try output.write(buffer.span8.extracting(0..<got), at: position)
            position += UInt64(got)
        }
        try output.truncate(to: size)
        try HostDirectory.setAttributes(
            of: path, permissions: file.attributes.permissions, modified: file.attributes.modificationTime)
        return size
    }
}
