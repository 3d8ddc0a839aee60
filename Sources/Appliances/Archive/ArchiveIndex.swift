package import Storage

/// The members of an archive, by name.
package struct ArchiveIndex: Sendable {
    /// The members in their order.
    package let entries: [ArchiveEntry]
    private let places: [[UInt8]: Int]
    private let file: any ByteFile

    /// Members of an OVA; more are none.
    private static let entryLimit = 1 << 14

    /// Reads all headers. Throws `corrupt` where two members have one name: nobody knows which of them is meant.
    package init(_ file: any ByteFile) throws(StorageError) {
        self.file = file
        var reader = ArchiveReader(file)
        var entries: [ArchiveEntry] = []
        var places: [[UInt8]: Int] = [:]
        while let entry = try reader.next() {
            try Cancellation.check()
            guard entries.count < Self.entryLimit else {
                throw .appliance(
                    .refused, .tooManyMembers, "has more than \(Self.entryLimit) members")
            }
            if entry.kind == .directory { continue }
            guard places.updateValue(entries.count, forKey: entry.name) == nil else {
                throw .appliance(
                    .corrupt, .sameNameTwice, "has two members called \(entry.name.shellText)",
                    structure: "header",
                    offset: entry.range.lowerBound)
            }
            entries.append(entry)
        }
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
