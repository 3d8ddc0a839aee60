package import Storage

extension QCOW2Driver {
    /// Header, all tables, and every refcount against the references that there are, snapshots included.
    package static func check(
        _ file: any ByteFile, report: (Finding) -> Void
    ) throws(StorageError) {
        do throws(StorageError) {
            var check = try QCOW2Check(file)
            if check.tables.header.incompatible.contains(.corrupt) {
                report(
                    Finding(
                        .damage, QCOW2Code.markedCorrupt, "the image is marked corrupt", structure: "header"))
            }
            try check.run(report)
        } catch {
            guard error.kind == .corrupt else { throw error }
            report(Finding(error))
        }
    }

    /// Lowers the refcounts of leaked clusters to the references that there are. A power cut leaves leaks. Throws
    /// `refused` when something is damaged: the references could not be relied on then.
    package static func repair(
        _ repair: Finding.Repair, _ file: any ByteFile
    ) throws(StorageError) -> [String] {
        guard repair == .leaks else { return [] }
        var check = try QCOW2Check(file)
        try check.run { _ in }
        guard !check.isDamaged, !check.leaks.contains(where: { $0.count > 0 }) else {
            throw .qcow2(
                .damagedNotRepaired,
                "more than leaks is wrong with the image, so its refcounts are left alone",
                structure: "refcount block",
                remedies: [.check, .tool("qemu-img", arguments: ["check", "-r", "all"])])
        }
        var count: UInt64 = 0
        for leak in check.leaks {
            try check.tables.setRefcounts(leak.clusters, to: leak.count)
            count += leak.clusters.upperBound - leak.clusters.lowerBound
        }
        try check.tables.pages.write(.groundwork)
        try file.flush()
        return count == 0 ? [] : ["gave \(count) leaked clusters back"]
    }
}
