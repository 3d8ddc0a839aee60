internal import CLinux
internal import Glibc
internal import Storage

// qemu guards an image with open-file-description locks on single bytes: a byte from 100 on per permission it
// holds (0 consistent read, 1 write, 3 resize) and a byte from 200 on per permission it denies to others
// (qemu docs/system/qemu-block-drivers, "Disk image file locking"). It takes read locks and asks with GETLK.

extension HostFile {
    private static let lockStart: Int64 = 100
    private static let lockLength: Int64 = 200
    private static let holdsRead: Int64 = 100
    private static let holdsWrite: Int64 = 101
    private static let holdsResize: Int64 = 103
    private static let deniesRead: Int64 = 200
    private static let deniesWrite: Int64 = 201
    private static let deniesResize: Int64 = 203

    /// Takes the lock that fits the access. Throws `refused`, code "locked" or "mounted", when someone is in the way.
    func lock(_ use: KernelUse) throws(StorageError) {
        try requireNotUsedByVMware()
        try requireNotUsedByKernel(use)
        if access == .write {
            // A write lock over all of them meets any lock of qemu's and any of ours.
            try set(exclusive: true, Self.lockStart, Self.lockLength, "another process has it open")
            return
        }
        // The bytes a qemu reader locks, so that qemu's readers and ours go together and writers are kept out.
        for byte in [Self.holdsRead, Self.deniesWrite, Self.deniesResize] {
            try set(exclusive: false, byte, 1, "another process is writing to it")
        }
        for byte in [Self.holdsWrite, Self.holdsResize, Self.deniesRead]
        where clinux_ofd_would_conflict(descriptor, byte, 1) == 1 {
            throw locked("a virtual machine or another process is writing to it")
        }
    }

    /// VMware keeps a folder NAME.lck beside a disk that a machine has open, with a file *.lck for each lock. It is left
    /// behind when the program dies.
    private func requireNotUsedByVMware() throws(StorageError) {
        let folder = (HostDirectory.resolved(path) ?? path) + ".lck"
        guard HostDirectory.names(in: folder).contains(where: { $0.hasSuffix(".lck") }) else { return }
        throw locked(
            "a VMware machine has it open (\(folder); remove that folder where no machine runs any more)")
    }

    /// Gives the locks back. Closing alone does not while a child of this process that has not called exec yet
    /// shares the open file.
    func unlock() { _ = clinux_ofd_unlock(descriptor, Self.lockStart, Self.lockLength) }

    private func set(
        exclusive: Bool, _ start: Int64, _ length: Int64, _ reason: String
    ) throws(StorageError) {
        guard clinux_ofd_lock(descriptor, exclusive ? 1 : 0, start, length) != 0 else { return }
        let number = errno
        if number == EAGAIN || number == EACCES { throw locked(reason) }
        // A file system without locks cannot be asked; qemu goes on there too.
        guard number == ENOLCK || number == EOPNOTSUPP || number == EINVAL || number == ENOSYS else {
            throw .io("host file", operation: "lock", errno: number, path: path)
        }
    }

    private func locked(_ reason: String) -> StorageError {
        StorageError(
            .refused, HostFileCode.locked,
            access == .write
                ? "\(reason); shut the virtual machine down first" : "\(reason); shut it down first",
            path: path, remedies: access == .write ? [] : [.ignoreLocks])
    }
}
