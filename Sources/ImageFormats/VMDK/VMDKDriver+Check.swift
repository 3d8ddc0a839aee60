package import Storage

extension VMDKDriver {
    /// Header, descriptor, both directories, both copies of every grain table and every grain of one sparse file. Of a
    /// descriptor in a file of its own the text is checked; its extents are checked by opening the disk.
    package static func check(
        _ file: any ByteFile, report: (Finding) -> Void
    ) throws(StorageError) {
        do throws(StorageError) {
            _ = try describe(file)
            guard case .sparse(let header, _) = try VMDKSource.read(file) else { return }
            var check = try VMDKSparseCheck(file, try header.completed(byFooterOf: file))
            try check.run(report)
        } catch {
            guard error.kind == .corrupt else { throw error }
            report(Finding(error))
        }
    }
}
