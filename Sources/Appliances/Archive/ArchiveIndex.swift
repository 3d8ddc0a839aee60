package import Storage

/// The members of an archive, by name.
package struct ArchiveIndex: Sendable {
    /// The members in their order.
    package let entries: [ArchiveEntry]
    private let places: [[UInt8]: Int]
    private let file: any ByteFile

    /// Members of an OVA; more are none.
    private static let entryLimit = 1 << 14

    /// What of it is missing, a sentence each; empty but for an archive that is salvaged.
    package private(set) var notes: [String] = []

    /// Reads all headers. Throws `corrupt` where two members have one name: nobody knows which of them is meant. `isSalvage`:
    /// takes the members that are there of an archive that is cut off or damaged, of two with one name the first.
    package init(_ file: any ByteFile, isSalvage: Bool = false) throws(StorageError) {
        self.file = file
        var reader = ArchiveReader(file, isSalvage: isSalvage)
        var entries: [ArchiveEntry] = []
        var places: [[UInt8]: Int] = [:]
        var damages = 0
        while true {
            try Cancellation.check()
            let entry: ArchiveEntry
            do throws(StorageError) {
                guard let next = try reader.next() else { break }
                entry = next
            } catch {
                guard isSalvage, error.kind == .corrupt else { throw error }
                damages += 1
                try reader.skipDamage()
                continue
            }
            guard entries.count < Self.entryLimit else {
                throw .appliance(
                    .refused, .tooManyMembers, "has more than \(Self.entryLimit) members")
            }
            if entry.kind == .directory { continue }
            if isSalvage, places[entry.name] != nil { continue }
            if entry.missingByteCount > 0 {
                notes.append(
                    "is cut off: \(entry.missingByteCount) bytes of \(entry.name.shellText) are not there")
            }
            guard places.updateValue(entries.count, forKey: entry.name) == nil else {
                throw .appliance(
                    .corrupt, .sameNameTwice, "has two members called \(entry.name.shellText)",
                    structure: "header",
                    offset: entry.range.lowerBound)
            }
            entries.append(entry)
        }
        if damages > 0 { notes.append("has damaged headers; the members behind them were looked for") }
        self.entries = entries
        self.places = places
    }

    /// The member of that name; nil where there is none.
    package func entry(_ name: [UInt8]) -> ArchiveEntry? { places[name].map { entries[$0] } }

    /// The bytes of a member as a file. Throws `refused` for what is no file.
    package func open(_ entry: ArchiveEntry) throws(StorageError) -> any ByteFile {
        guard entry.kind == .file else {
            throw .appliance(
                .refused, .notAFile,
                "has \(entry.name.shellText), which is a link or another thing that is no file",
                structure: "header", offset: entry.range.lowerBound)
        }
        return try ByteRangeFile(
            file, range: entry.range, path: "\(file.path)/\(String(hostBytes: entry.name))")
    }
}
