internal import GuestTree
package import Storage

extension MountedSystem {
    /// The code page of short names that the fstab mounts a volume with (mount(8): `codepage=`); nil where it says none.
    package func codePage(of mount: LinuxSystem.Mount) throws(StorageError) -> Int? {
        let fstab = Fstab(try tree.configuration("/etc/fstab") ?? [])
        return fstab.rows.lazy.filter { $0.mountPoint == mount.path }.flatMap(\.options).compactMap {
            option in
            option.hasPrefix("codepage=") ? DiskName.smallNumber(option.dropFirst("codepage=".count)) : nil
        }.first
    }
}
