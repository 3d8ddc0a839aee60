package import Storage

extension FATTransaction: AppendingTransaction {
    /// Adds bytes to a regular file's end. At a cut the file has its old length or the new one; a chain that is longer than
    /// the length says harms nothing.
    package func append(_ bytes: [UInt8], to file: FileID) throws(StorageError) {
        try perform { () throws(StorageError) in
            var slot = try regularSlot(of: file)
            let old = UInt64(slot.size)
            try requireLength(old + UInt64(bytes.count))
            guard !bytes.isEmpty else { return }
            let size = geometry.clusterSize
            let needed =
                geometry.clusterCount(for: old + UInt64(bytes.count)) - geometry.clusterCount(for: old)
            try requireSpace(needed)
            var tail = try tail(of: slot)
            var rest = bytes[...]
            let used = Int(old % UInt64(size))
            if used > 0, let last = tail {
                // What is written twice is written one after the other.
                endStage()
                var whole = [UInt8](repeating: 0, count: used)
                try whole.withMutableBytes { (span) throws(StorageError) in
                    try readData(into: &span, from: last, skip: 0)
                }
                whole += rest.prefix(size - used)
                fill([last], with: whole)
                rest = rest.dropFirst(size - used)
            }
            if !rest.isEmpty {
                let clusters = try takeClusters(rest.count.dividedRoundingUp(by: size))
                fill(clusters, with: Array(rest))
                try link(clusters)
                if let last = tail {
                    try patchTable(last.rawValue, to: clusters[0].rawValue, in: .linked)
                } else {
                    slot.setFirstCluster(clusters[0].rawValue, geometry.width)
                }
                tail = clusters.last
            }
            slot.size = UInt32(old + UInt64(bytes.count))
            slot.setWriteTime(now)
            slot.setAccessTime(now)
            try patch(slot.bytes, at: file.rawValue, in: .names)
            if let tail { tails = (slot.firstCluster(geometry.width), slot.size, tail) }
        }
    }

    /// A file's last cluster; nil of an empty one.
    private func tail(of slot: DirectorySlot) throws(StorageError) -> ClusterNumber? {
        let first = slot.firstCluster(geometry.width)
        guard first.rawValue != 0 else { return nil }
        // A chain of gigabytes is not walked for each piece.
        if let known = tails, known.first == first, known.size == slot.size { return known.last }
        let chain = try chain(from: first, limit: geometry.clusterCount)
        guard UInt64(chain.count) == geometry.clusterCount(for: UInt64(slot.size)), let last = chain.last
        else {
            throw .fat(
                .refused, .chainTooLong, "the file has more clusters than its length needs; run fsck.vfat")
        }
        return last
    }
}
