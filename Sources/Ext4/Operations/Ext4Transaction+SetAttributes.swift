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
            let value = AccessControlList.userForm(try self.value(of: list, of: inode))
        else { return }
        try setAttribute(
            Array("system.posix_acl_access".utf8), of: &inode,
            to: AccessControlList.settingMode(inode.mode, in: value))
    }
}

extension AccessControlList {
    /// A list in getxattr's form with the permissions of a mode.
    static func settingMode(_ mode: UInt16, in list: [UInt8]) -> [UInt8] {
        var result = list
        let offsets = Array(stride(from: 4, through: list.count - 8, by: 8))
        let hasMask = offsets.contains { list.little($0) as UInt16 == 0x10 }
        for offset in offsets {
            switch list.little(offset) as UInt16 {
            case 0x01: result.storeLittle(mode >> 6 & 7, at: offset + 2)
            case 0x10: result.storeLittle(mode >> 3 & 7, at: offset + 2)
            case 0x04 where !hasMask: result.storeLittle(mode >> 3 & 7, at: offset + 2)
            case 0x20: result.storeLittle(mode & 7, at: offset + 2)
            default: break
            }
        }
        return result
    }
}
