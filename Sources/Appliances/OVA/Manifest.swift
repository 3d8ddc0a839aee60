package import Storage

/// The digests of an appliance's files (DSP0243, 6 "Manifest"): lines `SHA256(name)= hex`, also in the spellings of OpenSSL.
package struct Manifest: Equatable, Sendable {
    /// A line.
    package struct Line: Equatable, Sendable {
        /// How it was made.
        package var algorithm: Digest.Algorithm
        /// The file, by its name from the manifest.
        package var name: String
        /// Lower-case hexadecimal.
        package var digest: String

        /// Makes a line.
        package init(algorithm: Digest.Algorithm, name: String, digest: String) {
            self.algorithm = algorithm
            self.name = name
            self.digest = digest
        }
    }

    /// The lines in their order.
    package var lines: [Line]

    private static let byteLimit = 4 << 20

    /// Makes a manifest.
    package init(lines: [Line]) { self.lines = lines }

    /// The text, as VMware's own tools spell it: no space before the parenthesis, and not OpenSSL's "SHA2-256".
    package var bytes: [UInt8] {
        lines.flatMap {
            Array("\($0.algorithm.rawValue.uppercased())(".utf8) + $0.name.hostBytes
                + Array(")= \($0.digest)\n".utf8)
        }
    }

    /// Reads one. Throws `corrupt` for lines that are none and for a file with two digests, `unsupported` for other algorithms.
    package init(_ bytes: [UInt8]) throws(StorageError) {
        do throws(StorageError) { lines = try Self.lines(of: bytes) } catch {
            var error = error
            error.remedies = [.skipVerification]
            throw error
        }
    }

    private static func lines(of bytes: [UInt8]) throws(StorageError) -> [Line] {
        guard bytes.count <= Self.byteLimit else {
            throw .appliance(.refused, .badManifest, "has a manifest of more than \(Self.byteLimit) bytes")
        }
        var lines: [Line] = []
        let bytes = Self.plain(bytes)
        var known: [String: Line] = [:]
        for (index, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            let text = String(hostBytes: line.filter { $0 != 13 })
            guard text.contains(where: { !$0.isWhitespace }) else { continue }
            let parsed = try Self.parse(text, number: index + 1)
            let key = "\(parsed.algorithm.rawValue) \(parsed.name)"
            guard let other = known[key] else {
                known[key] = parsed
                lines.append(parsed)
                continue
            }
            guard other == parsed else {
                throw .appliance(
                    .corrupt, .badManifest,
                    "has a manifest with two digests of \(parsed.name.hostBytes.shellText)")
            }
        }
        return lines
    }

    /// The bytes without a mark of their order, which Windows' editors put there, and those of UTF-16 as UTF-8.
    private static func plain(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { return bytes.dropFirst(3) }
        let isLittle = bytes.starts(with: [0xff, 0xfe])
        guard isLittle || bytes.starts(with: [0xfe, 0xff]) else { return bytes[...] }
        let units = stride(from: 2, to: bytes.count - 1, by: 2).map { index in
            let (low, high) = isLittle ? (bytes[index], bytes[index + 1]) : (bytes[index + 1], bytes[index])
            return UInt16(high) << 8 | UInt16(low)
        }
        return Array(String(decoding: units, as: UTF16.self).utf8)[...]
    }

    private static func parse(_ text: String, number: Int) throws(StorageError) -> Line {
        func trimmed(_ part: Substring) -> String {
            var part = part.drop { $0.isWhitespace }
            while part.last?.isWhitespace == true { part = part.dropLast() }
            return String(part)
        }
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close,
            let equals = text[close...].firstIndex(of: "=")
        else { throw damaged(number) }
        let word = trimmed(text[..<open]).lowercased().filter { $0 != "-" }
        let algorithm: Digest.Algorithm
        switch word {
        case "sha1": algorithm = .sha1
        case "sha256", "sha2256": algorithm = .sha256
        case "sha512", "sha2512": algorithm = .sha512
        default:
            throw .appliance(
                .unsupported, .badManifest,
                "has a manifest with digests by \(Array(trimmed(text[..<open]).utf8).displayText), which are not read "
                    + "(line \(number))", structure: "manifest")
        }
        let digest = trimmed(text[text.index(after: equals)...]).lowercased()
        let name = String(text[text.index(after: open)..<close])
        guard digest.utf8.count == algorithm.digitCount, digest.allSatisfy(\.isHexDigit), !name.isEmpty,
            trimmed(text[text.index(after: close)..<equals]).isEmpty
        else { throw damaged(number) }
        return Line(algorithm: algorithm, name: name, digest: digest)
    }

    private static func damaged(_ number: Int) -> StorageError {
        .appliance(
            .corrupt, .badManifest, "has a manifest whose line \(number) is no digest", structure: "manifest")
    }

    /// Compares every digest with what `open` gives for its name. Throws `corrupt`, code "missing-member" or "wrong-digest".
    package func verify(
        _ open: (String) throws(StorageError) -> (any ByteFile)?
    ) throws(StorageError) {
        // Some list the manifest in itself, which no digest can be right for.
        for line in lines where ![".mf", ".cert"].contains(where: line.name.lowercased().hasSuffix) {
            guard let file = try open(line.name) else {
                throw .appliance(
                    .corrupt, .missingMember,
                    "has a digest of \(line.name.hostBytes.shellText) in its manifest, which is not there",
                    structure: "manifest")
            }
            let found = try Digest.of(file, line.algorithm)
            guard found == line.digest else {
                var error = StorageError.appliance(
                    .corrupt, .wrongDigest,
                    "the \(line.algorithm.rawValue) of \(line.name.hostBytes.shellText) is \(found), and the manifest says "
                        + "\(line.digest): it was changed or damaged on its way", structure: "manifest")
                error.remedies = [.skipVerification]
                throw error
            }
        }
    }
}
