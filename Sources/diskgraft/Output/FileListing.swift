import DiskGraft

/// Files as lines: `ls -l` for people, one JSON object a line for scripts.
struct FileListing: Sendable {
    let files: GuestFiles
    /// Hash regular files in JSON.
    var hashes = false

    // MARK: For people

    /// `ls -l`'s line, with the name as given.
    func longLine(_ file: GuestFile, name: [UInt8]) throws(StorageError) -> [UInt8] {
        let attributes = file.attributes
        let size =
            attributes.deviceNumber.map { "\($0.major), \($0.minor)" } ?? String(attributes.size)
        var line = Array(
            ("\(Self.modeText(attributes)) \(Self.right(String(attributes.linkCount), 3)) "
                + "\(Self.right(String(attributes.owner), 5)) \(Self.right(String(attributes.group), 5)) "
                + "\(Self.right(size, 10)) \(Self.timeText(attributes.modificationTime)) ").utf8)
        line += Terminal.name(name)
        if attributes.type == .symbolicLink {
            line += Array(" -> ".utf8) + Terminal.name(try files.linkTarget(of: file))
        }
        return line + [UInt8(ascii: "\n")]
    }

    static func modeText(_ attributes: FileAttributes) -> String {
        let types: [FileType: Character] = [
            .regular: "-", .directory: "d", .symbolicLink: "l", .characterDevice: "c", .blockDevice: "b",
            .fifo: "p", .socket: "s",
        ]
        var text = String(types[attributes.type] ?? "?")
        let mode = attributes.permissions
        for (shift, special, set, unset) in [
            (6, 0o4000, "s", "S"), (3, 0o2000, "s", "S"), (0, 0o1000, "t", "T"),
        ] {
            let bits = Int(mode) >> shift
            text += bits & 4 != 0 ? "r" : "-"
            text += bits & 2 != 0 ? "w" : "-"
            let executes = bits & 1 != 0
            text += Int(mode) & special != 0 ? (executes ? set : unset) : (executes ? "x" : "-")
        }
        return text
    }

    /// "2021-03-04 05:06:07" in UTC.
    static func timeText(_ time: Timestamp) -> String {
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let days = (time.seconds - (time.seconds % 86400 + 86400) % 86400) / 86400
        let second = time.seconds - days * 86400
        // Days since 0000-03-01, so that the leap day ends a year; an era has 400 years (Gregorian calendar).
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let day = shifted - era * 146_097
        let year = (day - day / 1460 + day / 36524 - day / 146_096) / 365
        let ofYear = day - (365 * year + year / 4 - year / 100)
        let month = (5 * ofYear + 2) / 153
        let date = ofYear - (153 * month + 2) / 5 + 1
        let civilYear = year + era * 400 + (month >= 10 ? 1 : 0)
        return "\(civilYear)-\(two(month < 10 ? month + 3 : month - 9))-\(two(date)) "
            + "\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))"
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(width - text.utf8.count, 0)) + text
    }

    // MARK: For scripts

    /// One object: path (or path_hex), type, mode, uid, gid, links, size, mtime_ns, target, rdev, sha256, xattrs.
    /// Written by hand: a listing has one a file, and an encoder costs ten times the rest of the walk.
    func jsonLine(_ file: GuestFile) throws(StorageError) -> [UInt8] {
        let attributes = file.attributes
        var line: [UInt8] = []
        line.reserveCapacity(file.path.bytes.count + 256)
        line.append(UInt8(ascii: "{"))
        Self.add("path", file.path.bytes, to: &line)
        line += ",\"type\":\"".utf8
        line += Self.typeWord(attributes.type).utf8
        line += "\",\"mode\":\"0o".utf8
        line += String(attributes.mode, radix: 8).utf8
        line.append(UInt8(ascii: "\""))
        Self.add("uid", UInt64(attributes.owner), to: &line)
        Self.add("gid", UInt64(attributes.group), to: &line)
        Self.add("links", UInt64(attributes.linkCount), to: &line)
        Self.add("size", attributes.size, to: &line)
        line += ",\"mtime_ns\":".utf8
        line += Self.nanoseconds(attributes.modificationTime).utf8
        if attributes.type == .symbolicLink {
            line.append(UInt8(ascii: ","))
            Self.add("target", try files.linkTarget(of: file), to: &line)
        }
        if let device = attributes.deviceNumber {
            line += Array(",\"rdev\":\"\(device.major):\(device.minor)\"".utf8)
        }
        if hashes, attributes.type == .regular {
            do throws(StorageError) {
                let digest = try files.sha256(of: file)
                line += ",\"sha256\":\"".utf8
                line += digest.utf8
                line.append(UInt8(ascii: "\""))
            } catch {
                // Encrypted contents cannot be read, and the file is listed all the same.
                guard error.kind == .unsupported || error.kind == .refused, !error.isCancellation
                else { throw error }
                line.append(UInt8(ascii: ","))
                Self.add("error", Array(error.spelled.utf8), to: &line)
            }
        }
        let xattrs = try files.extendedAttributes(of: file)
            .sorted { $0.name.lexicographicallyPrecedes($1.name) }
        Self.add("xattrs", xattrs.filter { Self.isText($0.name) }.map { ($0.name, $0.value) }, to: &line)
        Self.add(
            "xattrs_hex", xattrs.filter { !Self.isText($0.name) }.map { ($0.name.hexDigits, $0.value) },
            to: &line)
        line += "}\n".utf8
        return line
    }

    static func typeWord(_ type: FileType) -> String {
        switch type {
        case .regular: "file"
        case .directory: "directory"
        case .symbolicLink: "symlink"
        case .characterDevice: "char"
        case .blockDevice: "block"
        case .fifo: "fifo"
        case .socket: "socket"
        }
    }

    private static func nanoseconds(_ time: Timestamp) -> String {
        // Years past 2262 do not fit 64 bits.
        String(Int128(time.seconds) * 1_000_000_000 + Int128(time.nanoseconds))
    }

    private static func add(_ key: String, _ number: UInt64, to line: inout [UInt8]) {
        line += ",\"".utf8
        line += key.utf8
        line += "\":".utf8
        line += String(number).utf8
    }

    /// An object of values in hexadecimal; nothing where there are none.
    private static func add(
        _ key: String, _ pairs: [(name: [UInt8], value: [UInt8])], to line: inout [UInt8]
    ) {
        guard !pairs.isEmpty else { return }
        line += Array(",\"\(key)\":{".utf8)
        for (index, pair) in pairs.enumerated() {
            if index > 0 { line.append(UInt8(ascii: ",")) }
            line += quoted(pair.name)
            line += Array(":\"\(pair.value.hexString)\"".utf8)
        }
        line.append(UInt8(ascii: "}"))
    }

    private static func add(_ key: String, _ bytes: [UInt8], to line: inout [UInt8]) {
        // What is not UTF-8 goes as hexadecimal under another key.
        guard isText(bytes) else {
            line += Array("\"\(key)_hex\":\"\(bytes.hexString)\"".utf8)
            return
        }
        line += Array("\"\(key)\":".utf8)
        line += quoted(bytes)
    }

    /// Whether JSON can hold a name as text: it is UTF-8, without the scalars that stand for bytes in names here.
    private static func isText(_ bytes: [UInt8]) -> Bool {
        String(hostBytes: bytes).utf8.elementsEqual(bytes)
    }

    private static func quoted(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "\"")]
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
            case 0..<32: text += Array("\\u00".utf8) + Array([byte].hexString.utf8)
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
        return JSONOutput.withoutControls(text)
    }
}

/// Collects lines and writes them in big pieces.
struct BufferedOutput {
    private var pending: [UInt8] = []

    mutating func write(_ bytes: [UInt8]) {
        pending += bytes
        if pending.count > 1 << 16 { flush() }
    }

    mutating func flush() {
        Terminal.write(pending)
        pending.removeAll(keepingCapacity: true)
    }
}
