package import Storage

/// Finds a file's format and opens it.
package enum ImageProbe {
    /// The drivers, raw aside, which is what is left when none matches.
    static var drivers: [any ImageDriver.Type] {
        [
            VHDDriver.self,
            VHDXDriver.self,
            QCOW2Driver.self,
            VMDKDriver.self,
            VDIDriver.self,
        ]
    }

    /// The driver of a format.
    package static func driver(for format: ImageFormat) throws(StorageError) -> any ImageDriver.Type {
        if format == .raw { return RawDriver.self }
        guard let driver = drivers.first(where: { $0.format == format }) else {
            throw StorageError(
                .unsupported, layer: format.rawValue, code: "not-built", "this format is not built yet")
        }
        return driver
    }

    /// The one format that a file's bytes match; raw when none does.
    ///
    /// Throws `refused` when several match, and `unsupported`, by name, for formats that are known and not built:
    /// reading those as raw would show garbage.
    package static func format(of file: HostFile) throws(StorageError) -> ImageFormat {
        let head = try file.availableBytes(at: 0, count: 64 << 10)
        let length = file.byteCount
        let tailSize = min(length, 1536)
        let tail = try file.bytes(at: length - tailSize, count: Int(tailSize))
        let matches = drivers.filter { $0.recognises(head: head, tail: tail, byteCount: length) }.map {
            $0.format
        }
        if matches.count > 1 {
            throw StorageError(
                .refused, layer: "image", code: "ambiguous-format",
                "looks like \(matches.map(\.rawValue).joined(separator: " and ")) at once; say which with -f",
                path: file.path)
        }
        if let format = matches.first { return format }
        if let known = ForeignFormat.recognise(head: head, tail: tail) {
            throw StorageError(
                .unsupported, layer: "image", code: "foreign-format",
                "is \(known.name), which is not built yet; convert it with \(known.advice), "
                    + "or read it as a plain disk with -f raw", path: file.path)
        }
        try requireWhole(file)
        return .raw
    }

    /// Opens an image: as `format` says, else by probing.
    package static func open(
        _ path: String, format: ImageFormat? = nil, options: ImageOpenOptions = ImageOpenOptions()
    ) throws(StorageError) -> OpenedImage {
        let file = try HostFile.open(path, access: options.access, locking: options.locking)
        return try open(file, format: format, options: options)
    }

    /// Opens an image from a file that is open already.
    package static func open(
        _ file: HostFile, format: ImageFormat? = nil, options: ImageOpenOptions = ImageOpenOptions()
    ) throws(StorageError) -> OpenedImage {
        do throws(StorageError) {
            let format = if let format { format } else { try self.format(of: file) }
            return try driver(for: format).open(file, options: options)
        } catch {
            throw error.inFile(file.path)
        }
    }

    /// Checks an image's own tables; see `ImageDriver.check`.
    package static func check(
        _ path: String, format: ImageFormat? = nil, locking: HostFile.Locking = .honour,
        report: (ImageFinding) -> Void
    ) throws(StorageError) {
        let file = try HostFile.open(path, locking: locking)
        do throws(StorageError) {
            let format = if let format { format } else { try self.format(of: file) }
            var told = ToldFindings()
            try driver(for: format).check(file) { if told.takes($0) { report($0) } }
            if let rest = told.rest(layer: format.rawValue) { report(rest) }
        } catch {
            throw error.inFile(file.path)
        }
    }

    /// What an image says of itself, whether or not it can be opened as a disk: for `info`.
    package static func describe(
        _ path: String, format: ImageFormat? = nil, locking: HostFile.Locking = .honour
    ) throws(StorageError) -> ImageInfo {
        let file = try HostFile.open(path, locking: locking)
        do throws(StorageError) {
            let format = if let format { format } else { try self.format(of: file) }
            return try driver(for: format).describe(file)
        } catch {
            throw error.inFile(file.path)
        }
    }
}
