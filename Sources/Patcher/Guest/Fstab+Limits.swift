internal import GuestTree
internal import Storage

extension Fstab {
    /// No guest mounts more than this.
    static let rowLimit = 4096
    private static let lineLimit = 50_000

    /// A tree's fstab; nil where there is none. Throws `memoryBound` for one that is larger than any real one.
    static func read(in tree: some GuestTree) throws(StorageError) -> Fstab? {
        guard let file = try tree.regularFile("/etc/fstab") else { return nil }
        guard file.attributes.size <= UInt64(configurationLimit) else {
            throw tooLarge("\(file.attributes.size) bytes, more than the \(configurationLimit)")
        }
        let bytes = try tree.contents(of: file, limit: configurationLimit)
        guard bytes.count(where: { $0 == .newline }) <= lineLimit else {
            throw tooLarge("more lines than the \(lineLimit)")
        }
        try Cancellation.check()
        let fstab = Fstab(bytes)
        guard fstab.rows.count <= rowLimit else {
            throw tooLarge("\(fstab.rows.count) rows, more than the \(rowLimit)")
        }
        return fstab
    }

    private static func tooLarge(_ what: String) -> StorageError {
        .memoryBound("guest", "/etc/fstab has \(what) that are read", structure: "fstab")
    }
}
