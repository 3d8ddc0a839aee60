/// A place of the tree where the fstab mounts what is not in the tree: a file system that cannot be read, a volume
/// that is on none of the disks or cannot be told, or another machine's directory.
package struct MissingMount: Sendable {
    /// The mount point, without a slash at its end.
    package let path: String
    /// The device field of the row.
    package let device: String
    /// What the device field stands for: the volume that cannot be read, or why there is none.
    package let resolution: Resolution
    /// The system starts without it too.
    package let isOptional: Bool
    /// The device field is another directory of the tree, which is shown here.
    package let isBind: Bool

    /// The system may be running without it: its disk is not here, and need not be there.
    package var mayBeAbsent: Bool {
        if case .volume = resolution { return false }
        return isOptional
    }
}

extension Fstab.Row {
    /// Another directory of the tree hides what lies below it; one that is shown at its own place hides nothing.
    var isBindOfAnother: Bool {
        (options.contains("bind") || options.contains("rbind")) && spec != mountPoint
    }

    /// A directory of another machine: what lies below it on the guest's own disks is hidden while it is mounted.
    var isShare: Bool {
        let kinds: Set<String> = [
            "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "9p", "virtiofs", "ceph", "glusterfs",
            "lustre",
            "ocfs2", "gfs2", "fuse.sshfs", "sshfs", "davfs", "fuse.glusterfs", "fuse.ceph",
        ]
        return types.contains(where: kinds.contains)
    }
}

extension Resolution {
    /// A name of something on a disk, but not of a volume of these disks.
    var isMissing: Bool {
        switch self {
        case .disk, .stable, .unresolved: true
        case .volume, .notADisk: false
        }
    }
}
