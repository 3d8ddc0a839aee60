internal import Storage

extension Ext4Transaction {
    /// Sets the times and the version that go with a change of contents or, with `contents` false, of attributes.
    func touch(_ inode: inout Inode, contents: Bool) {
        if contents {
            inode.setTime(
                now, at: Inode.Offset.modificationTime, extra: Inode.Offset.modificationTimeExtra)
        }
        inode.setTime(now, at: Inode.Offset.changeTime, extra: Inode.Offset.changeTimeExtra)
        let low = inode.word(Inode.Offset.versionLow) &+ 1
        inode.bytes.storeLittle(low, at: Inode.Offset.versionLow)
        if low == 0, inode.hasField(Inode.Offset.versionHigh) {
            inode.bytes.storeLittle(inode.word(Inode.Offset.versionHigh) &+ 1, at: Inode.Offset.versionHigh)
        }
    }
}
