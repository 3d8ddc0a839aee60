internal import GuestTree
package import Storage

extension MountedSystem {
    /// The code page of short names that the fstab mounts a volume with (mount(8): `codepage=`); nil where it says none.
    package func codePage(ofVolumesNamed isWanted: (Volume) -> Bool) throws(StorageError) -> Int? {
        let places = Set(mounts.filter { isWanted(frame.volumes[$0.volume]) }.map(\.path))
        guard !places.isEmpty, let fstab = try Fstab.read(in: tree) else { return nil }
        return fstab.rows.lazy.filter { places.contains($0.mountPoint) }.flatMap(\.options).compactMap {
            option in
            option.hasPrefix("codepage=") ? DiskName.smallNumber(option.dropFirst("codepage=".count)) : nil
        }.first
    }
}
