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
            QCOW1Driver.self,
            QEDDriver.self,
            ParallelsDriver.self,
        ]
    }

    /// Everything that a driver offers to mend.
    package static var repairs: [Finding.Repair] {
        (drivers + [RawDriver.self]).flatMap { $0.repairs }.reduce(into: []) {
            if !$0.contains($1) { $0.append($1) }
        }
    }

    /// The driver of a format.
    package static func driver(for format: ImageFormat) throws(StorageError) -> any ImageDriver.Type {
        if format == .raw { return RawDriver.self }
        guard let driver = drivers.first(where: { $0.format == format }) else {
            throw StorageError(
                .unsupported, ImageCode.notBuilt, "this format is not built yet", layerName: format.rawValue)
        }
        return driver
    }

    /// The one format that a file's bytes match; raw when none does.
    ///
    /// Throws `refused` when several match, and `unsupported`, by name, for formats that are known and not built:
    /// reading those as raw would show garbage.
    package static func format(of file: any ByteFile) throws(StorageError) -> ImageFormat {
        let head = try file.availableBytes(at: 0, count: 64 << 10)
        let length = file.byteCount
        let tailSize = min(length, 1536)
        let tail = try file.bytes(at: length - tailSize, count: Int(tailSize))
        let matches = drivers.filter { $0.recognises(head: head, tail: tail, byteCount: length) }.map {
            $0.format
        }
        if matches.count > 1 {
            throw StorageError(
                .refused, ImageCode.ambiguousFormat,
                "looks like \(matches.map(\.rawValue).joined(separator: " and ")) at once", path: file.path,
                remedies: [.nameFormat(nil)])
        }
        if let format = matches.first { return format }
        if let known = ForeignFormat.recognise(head: head, tail: tail) {
            throw StorageError(
                .unsupported, ImageCode.foreignFormat,
                "is \(known.name), which is not built yet; convert it with \(known.advice)", path: file.path,
                remedies: [.nameFormat(ImageFormat.raw.rawValue)])
        }
        try requireWhole(file)
        return .raw
    }

    /// Opens an image: as `format` says, else by probing.
    package static func open(
        _ path: String, format: ImageFormat? = nil, options: ImageOpenOptions
    ) throws(StorageError) -> OpenedImage {
        let file = try options.files.open(path, access: options.access)
        return try open(file, format: format, options: options)
    }

    /// Opens an image from a file that is open already.
    package static func open(
        _ file: any ByteFile, format: ImageFormat? = nil, options: ImageOpenOptions
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
        _ file: any ByteFile, format: ImageFormat? = nil, report: (Finding) -> Void
    ) throws(StorageError) {
        do throws(StorageError) {
            let format = if let format { format } else { try self.format(of: file) }
            var told = ToldFindings(limit: 1000)
            try driver(for: format).check(file) { if told.takes($0) { report($0) } }
            if let rest = told.rest(layer: format.rawValue) { report(rest) }
        } catch {
            throw error.inFile(file.path)
        }
    }

    /// Checks the files beside an image that are part of it and have tables of their own; see `ImageDriver.pieces`. `report` is
    /// told the path of each. One that cannot be opened is left out: the image is not opened without it either.
    package static func checkPieces(
        of file: any ByteFile, format: ImageFormat? = nil, in files: any ByteFileStore,
        report: (_ path: String, Finding) -> Void
    ) throws(StorageError) {
        let format = if let format { format } else { try self.format(of: file) }
        // What is wrong with the image itself is told by its own check.
        let names = (try? driver(for: format).pieces(of: file)) ?? []
        for name in names {
            guard
                let piece = try? files.openSibling(
                    of: file.path, name: String(hostBytes: name), access: .read)
            else { continue }
            try check(piece, format: format) { report(piece.path, $0) }
        }
    }

    /// What an image says of itself, whether or not it can be opened as a disk: for `info`.
    package static func describe(
        _ file: any ByteFile, format: ImageFormat? = nil
    ) throws(StorageError) -> ImageInfo {
        do throws(StorageError) {
            let format = if let format { format } else { try self.format(of: file) }
            return try driver(for: format).describe(file)
        } catch {
            throw error.inFile(file.path)
        }
    }
}
