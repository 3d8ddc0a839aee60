package import Storage

extension VMDKDriver {
    /// The sparse extents of a descriptor.
    package static func pieces(of file: any ByteFile) throws(StorageError) -> [[UInt8]] {
        guard case .descriptor(let descriptor) = try VMDKSource.read(file) else { return [] }
        var names: [[UInt8]] = []
        for line in descriptor.extents where line.kind.isSparse && line.access != .none {
            if !names.contains(line.name) { names.append(line.name) }
        }
        return names
    }

    /// Header, descriptor, directories, every copy of every grain table and every grain of one extent's file. Of a
    /// descriptor in a file of its own the text is checked; its extents are checked by opening the disk, or by themselves.
    package static func check(
        _ file: any ByteFile, report: (Finding) -> Void
    ) throws(StorageError) {
        do throws(StorageError) {
            _ = try describe(file)
            switch try VMDKSource.read(file) {
            case .descriptor: return
            case .sparse(let header, _):
                var check = try VMDKSparseCheck(file, try header.completed(byFooterOf: file))
                try check.run(report)
            case .seSparse(let header):
                let check = try VMDKSESparseCheck(file, header)
                try check.run(report)
            }
        } catch {
            guard error.kind == .corrupt else { throw error }
            report(Finding(error))
        }
    }
}
