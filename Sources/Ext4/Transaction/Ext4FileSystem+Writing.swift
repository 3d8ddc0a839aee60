internal import Glibc
package import Storage

extension Ext4FileSystem: WritableFileSystem {
    /// Begins a change. Throws `refused` or `unsupported` when the volume must not be written, naming what to do.
    package func begin() throws(StorageError) -> Ext4Transaction {
        try Ext4Transaction(self, writeTarget(), now: options.now ?? Self.currentTime())
    }

    private static func currentTime() -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: UInt32(clamping: time.tv_nsec))
    }
}
