public import Storage

/// Writes a tree as a POSIX tar archive with pax headers (POSIX.1-2017, pax "Interchange Format"): long names,
/// large sizes, nanosecond times, extended attributes (`SCHILY.xattr.*`), ACLs also as text (`SCHILY.acl.*`, where
/// GNU tar and bsdtar look for them), hard links.
public struct TarWriter {
    private let files: GuestFiles
    private let output: ([UInt8]) -> Void
    /// The first name of each file with several.
    private var linked: [FileKey: [UInt8]] = [:]
    private var linkedByteCount = 0
    /// The last member's contents could not be read to their end.
    private var isCut = false
    /// Of those names.
    private static let linkedByteLimit = 1 << 30

    private static let blockSize = 512

    /// An archive of files from `files`, handed to `output` piece by piece.
    public init(_ files: GuestFiles, output: @escaping ([UInt8]) -> Void) {
        self.files = files
        self.output = output
    }

    /// Adds `top` and everything below it; names in the archive are relative to `top`, or its own where it is
    /// no directory. `report` hears of what was
    /// left out: sockets, contents that cannot be read.
    public mutating func add(_ top: GuestFile, report: (String) -> Void) throws(StorageError) {
        var entries = self
        try files.walk(top) { (visit) throws(StorageError) in
            switch visit {
            case .unreadable(_, let error):
                let rest = entries.isCut ? "; the archive has zeros from there on" : ""
                report(error.description + rest)
                entries.isCut = false
            case .file(let file):
                if file.attributes.type == .socket {
                    report("\(file.path.shellText): a socket is left out")
                } else {
                    try entries.add(file, below: top.path)
                }
            }
            return true
        }
        self = entries
    }

    /// Ends the archive: two empty blocks.
    public func finish() {
        output([UInt8](repeating: 0, count: 2 * Self.blockSize))
    }

    private mutating func add(_ file: GuestFile, below top: GuestPath) throws(StorageError) {
        var name = Array(file.path.relative(to: top))
        let attributes = file.attributes
        // A directory is its contents; a file by itself keeps its name.
        if name.isEmpty {
            name = attributes.type == .directory ? GuestPath.here : top.lastComponent ?? GuestPath.here
        }
        var type = UInt8(ascii: "0")
        var size: UInt64 = 0
        var target: [UInt8] = []
        switch attributes.type {
        case .regular: size = attributes.size
        case .directory:
            type = UInt8(ascii: "5")
            name.append(GuestPath.slash)
        case .symbolicLink:
            type = UInt8(ascii: "2")
            target = try files.linkTarget(of: file)
        case .characterDevice: type = UInt8(ascii: "3")
        case .blockDevice: type = UInt8(ascii: "4")
        case .fifo, .socket: type = UInt8(ascii: "6")
        }
        if attributes.type != .directory, attributes.linkCount > 1 {
            if let first = linked[file.key] {
                type = UInt8(ascii: "1")
                target = first
                size = 0
            } else {
                linkedByteCount += name.count
                guard linkedByteCount <= Self.linkedByteLimit else {
                    throw .memoryBound("tar", "the names of files with several names have more than 1 GiB")
                }
            }
        }
        let isLink = type == UInt8(ascii: "1")
        let extended = try extendedHeader(file, name: name, target: target, size: size, isLink: isLink)
        if !isLink, attributes.type != .directory, attributes.linkCount > 1 { linked[file.key] = name }
        output(extended)
        output(header(attributes, name: name, target: target, size: size, type: type))
        guard size > 0 else { return }
        var written: UInt64 = 0
        var failure: StorageError?
        do throws(StorageError) {
            try files.forEachPiece(of: file) { (bytes) throws(StorageError) in
                written += UInt64(bytes.byteCount)
                output(bytes.array(0..<bytes.byteCount))
            }
        } catch {
            guard !error.isCancellation else { throw error }
            failure = error
            isCut = true
        }
        // The header promised a size: a file that ends early, or cannot be read on, is filled up, so that what follows
        // stays where readers of the archive look for it.
        let promised = size.dividedRoundingUp(by: UInt64(Self.blockSize)) * UInt64(Self.blockSize)
        let zeros = [UInt8](repeating: 0, count: 1 << 16)
        while written < promised {
            try Cancellation.check()
            let count = Int(min(promised - written, UInt64(zeros.count)))
            output(Array(zeros[0..<count]))
            written += UInt64(count)
        }
        if let failure { throw failure }
    }

    /// The pax records that an ustar header cannot hold, as a block sequence; empty when there are none.
    private func extendedHeader(
        _ file: GuestFile, name: [UInt8], target: [UInt8], size: UInt64, isLink: Bool
    ) throws(StorageError) -> [UInt8] {
        var records: [UInt8] = []
        func add(_ key: [UInt8], _ value: [UInt8]) {
            let body = [UInt8(ascii: " ")] + key + [UInt8(ascii: "=")] + value + [UInt8(ascii: "\n")]
            // The length counts its own digits.
            var length = body.count + 1
            while String(length).utf8.count + body.count != length {
                length = String(length).utf8.count + body.count
            }
            records += Array(String(length).utf8) + body
        }
        func add(_ key: String, _ value: String) { add(Array(key.utf8), Array(value.utf8)) }
        let attributes = file.attributes
        if name.count > 100 { add(Array("path".utf8), name) }
        if target.count > 100 { add(Array("linkpath".utf8), target) }
        if size >= 1 << 33 { add("size", String(size)) }
        if attributes.owner >= 1 << 21 { add("uid", String(attributes.owner)) }
        if attributes.group >= 1 << 21 { add("gid", String(attributes.group)) }
        let time = attributes.modificationTime
        if time.nanoseconds != 0 || time.seconds < 0 || time.seconds >= 1 << 33 {
            add("mtime", Self.timeText(time))
        }
        if !isLink {
            for attribute in try files.extendedAttributes(of: file) {
                add(Array("SCHILY.xattr.".utf8) + TarKey.escaped(attribute.name), attribute.value)
                if let key = TarKey.list(attribute.name), let list = AccessControl(attribute) {
                    add(key, list.text(longNames: true))
                }
            }
        }
        guard !records.isEmpty else { return [] }
        var blank = attributes
        blank.permissions = 0o644
        blank.deviceNumber = nil
        return header(
            blank, name: Array("PaxHeaders/".utf8) + name.suffix(80), target: [], size: UInt64(records.count),
            type: UInt8(ascii: "x"))
            + records + [UInt8](repeating: 0, count: (512 - records.count % 512) % 512)
    }

    private static func timeText(_ time: Timestamp) -> String {
        // -1.5 s is stored as -2 s and 500,000,000 ns.
        if time.seconds < 0, time.nanoseconds > 0 {
            let rest = String(1_000_000_000 - time.nanoseconds)
            return "-\(-(time.seconds + 1))." + String(repeating: "0", count: 9 - rest.count) + rest
        }
        let digits = String(time.nanoseconds)
        return "\(time.seconds)." + String(repeating: "0", count: 9 - digits.count) + digits
    }

    /// One ustar header block.
    private func header(
        _ attributes: FileAttributes, name: [UInt8], target: [UInt8], size: UInt64, type: UInt8
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: Self.blockSize)
        func put(_ bytes: some Collection<UInt8>, _ offset: Int, _ width: Int) {
            for (index, byte) in bytes.prefix(width).enumerated() { block[offset + index] = byte }
        }
        func octal(_ number: UInt64, _ offset: Int, _ width: Int) {
            let digits = String(number, radix: 8)
            let text = String(repeating: "0", count: max(width - 1 - digits.count, 0)) + digits
            put(Array(text.utf8).suffix(width - 1), offset, width - 1)
        }
        put(name, 0, 100)
        octal(UInt64(attributes.permissions & 0o7777), 100, 8)
        octal(UInt64(attributes.owner) & 0o7777777, 108, 8)
        octal(UInt64(attributes.group) & 0o7777777, 116, 8)
        octal(size & 0o77777777777, 124, 12)
        octal(UInt64(clamping: attributes.modificationTime.seconds) & 0o77777777777, 136, 12)
        put([UInt8](repeating: UInt8(ascii: " "), count: 8), 148, 8)
        block[156] = type
        put(target, 157, 100)
        put(Array("ustar\u{0}00".utf8), 257, 8)
        if let device = attributes.deviceNumber {
            octal(UInt64(device.major), 329, 8)
            octal(UInt64(device.minor), 337, 8)
        }
        let sum = block.reduce(UInt64(0)) { $0 + UInt64($1) }
        let digits = String(sum, radix: 8)
        put(Array((String(repeating: "0", count: max(6 - digits.count, 0)) + digits + "\u{0} ").utf8), 148, 8)
        return block
    }
}
