internal import Storage

extension VolumeCheck {
    var hasQuota: Bool { geometry.readOnly.contains(.quota) }

    /// The inode that counts for `kind`; nil where nobody does.
    private func quotaInode(_ kind: QuotaKind) -> UInt32? {
        let number = view.superblock.word(kind.superblockOffset)
        return hasQuota && number != 0 ? number : nil
    }

    /// Whether an inode is a file of quotas itself.
    private func isQuotaFile(_ number: UInt32) -> Bool {
        QuotaKind.allCases.contains { quotaInode($0) == number }
    }

    /// Adds what an inode takes to what its owner, group and project use. An attribute's value in an inode of its own
    /// counts for whoever has the attribute.
    func countUsage(of inode: Inode, _ totals: MapTotals) {
        let number = inode.number.rawValue
        guard hasQuota, number >= geometry.firstInode || number == InodeNumber.root.rawValue,
            !inode.flags.contains(.attributeInode), !isQuotaFile(number), inode.type != nil
        else { return }
        for kind in QuotaKind.allCases where quotaInode(kind) != nil {
            let owner = kind.owner(of: inode)
            guard
                quotaUsage[kind.rawValue].count < limits.accounts
                    || quotaUsage[kind.rawValue][owner] != nil
            else { continue }
            quotaUsage[kind.rawValue][owner, default: QuotaUsage()].byteCount +=
                totals.blockCount * UInt64(geometry.blockSize)
            quotaUsage[kind.rawValue][owner, default: QuotaUsage()].inodeCount += 1 + totals.valueCount
        }
    }

    /// What the quota files count against what was found.
    func checkQuota() throws(StorageError) {
        for kind in QuotaKind.allCases {
            guard let number = quotaInode(kind) else { continue }
            guard
                number == kind.reservedInode || number >= geometry.firstInode && number <= geometry.inodeCount
            else {
                sink.add(
                    .quotaInode, "the superblock keeps \(kind.name) quotas in inode \(number)",
                    structure: "superblock", offset: Superblock.byteOffset + UInt64(kind.superblockOffset))
                continue
            }
            let read = try sink.attempt(inode: number) { () throws(StorageError) in
                let inode = try view.inode(InodeNumber(number))
                return (inode, try QuotaFile.read(kind, inode, view, accountLimit: limits.accounts))
            }
            guard let (inode, result) = read else { continue }
            switch result {
            case .failure(let defect): add(.quotaInode, inode, defect.text)
            case .success(let counted): compare(counted, quotaUsage[kind.rawValue], kind, inode)
            }
        }
    }

    private func compare(
        _ counted: [UInt32: QuotaUsage], _ found: [UInt32: QuotaUsage], _ kind: QuotaKind, _ inode: Inode
    ) {
        guard counted.count < limits.accounts, found.count < limits.accounts else {
            sink.add(
                Finding(
                    .memoryBound(
                        "ext4",
                        "\(kind.name) quotas are of \(limits.accounts) accounts or more, so they were not compared; use e2fsck",
                        structure: "quota"), .note, file: FileID(UInt64(inode.number.rawValue))))
            return
        }
        let wrong = Set(counted.keys).union(found.keys)
            .filter { counted[$0, default: QuotaUsage()] != found[$0, default: QuotaUsage()] }
        guard let first = wrong.min() else { return }
        let old = counted[first, default: QuotaUsage()]
        let new = found[first, default: QuotaUsage()]
        let more = wrong.count > 1 ? " (and \(wrong.count - 1) more)" : ""
        add(
            .quotaUsage, inode,
            "counts \(old.byteCount) bytes and \(old.inodeCount) inodes for \(kind.name) \(first), who has "
                + "\(new.byteCount) and \(new.inodeCount)\(more)")
    }
}
