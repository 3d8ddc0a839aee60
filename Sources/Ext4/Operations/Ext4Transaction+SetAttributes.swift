package import Storage

extension Ext4Transaction {
    /// chmod, chown, utimes. The change time becomes the transaction's.
    package func setAttributes(of file: FileID, _ change: AttributeChange) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try inode(file)
            try requireChangeable(inode)
            let newOwner = change.owner ?? inode.owner
            let newGroup = change.group ?? inode.group
            if newOwner != inode.owner || newGroup != inode.group { try requireNoQuota() }
            inode.owner = newOwner
            inode.group = newGroup
            if let permissions = change.permissions {
                inode.mode = inode.mode & 0xf000 | permissions & 0xfff
                try updateAccessControlList(of: &inode)
            }
            if let time = change.accessTime {
                inode.setTime(time, at: Inode.Offset.accessTime, extra: Inode.Offset.accessTimeExtra)
            }
            if let time = change.modificationTime {
                inode.setTime(
                    time, at: Inode.Offset.modificationTime, extra: Inode.Offset.modificationTimeExtra)
            }
            touch(&inode, contents: false)
            try store(inode)
        }
    }

    /// chmod on a file with an access control list changes the list's entries for owner, mask (else group) and
    /// others.
    private func updateAccessControlList(of inode: inout Inode) throws(StorageError) {
        guard let list = try attributeEntries(of: inode).first(where: { $0.name == .accessACL }),
            let kept = AccessControl(ext4: try self.value(of: list, of: inode))
        else { return }
        try setAttribute(
            Array("system.posix_acl_access".utf8), of: &inode,
            to: kept.settingMode(inode.mode).value)
    }
}
