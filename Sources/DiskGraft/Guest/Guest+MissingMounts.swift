internal import GuestTree
internal import Patcher
internal import Storage

extension Guest {
    /// What the fstab mounts and the tree has not, each with what there is to say of it, by path without links. For
    /// reading, what the system may be running without is not missing: the directory is there as it shows it.
    func obstacles(
        in system: MountedSystem, forChanges: Bool
    ) throws(StorageError) -> [GuestPath: StorageError] {
        guard !system.missing.isEmpty else { return [:] }
        let readable = FileSystemTree(mounts: try readableMounts(of: system))
        var obstacles: [GuestPath: StorageError] = [:]
        for mount in system.missing where forChanges || !mount.mayBeAbsent {
            try Cancellation.check()
            let path = GuestPath(mount.path)
            obstacles[try readable.find(path)?.path ?? path] = obstacle(mount, forChanges: forChanges)
        }
        return obstacles
    }

    /// The volumes of a system's tree, at their places.
    func readableMounts(of system: MountedSystem) throws(StorageError) -> [FileSystemTree.Mount] {
        var mounts: [FileSystemTree.Mount] = []
        for mount in system.mounts where mount.isReadable {
            mounts.append(
                .init(
                    path: GuestPath(mount.path), volume: mount.volume,
                    fileSystem: try fileSystem(on: mount.volume)))
        }
        return mounts
    }

    private func obstacle(_ mount: MissingMount, forChanges: Bool) -> StorageError {
        var kind = StorageError.Kind.refused
        var remedies: [Remedy] = []
        let why: String
        switch mount.resolution {
        case .volume(let index):
            kind = .unsupported
            let contents = volumes[index].identity.kind
            why =
                contents == .unknown
                ? "\(volumes[index].name) holds nothing that is known"
                : "\(volumes[index].name) holds \(contents.rawValue), whose files cannot be read here"
        case .unresolved(let reason):
            if reason.isAbsent { remedies.append(.giveDisk(path: nil)) }
            if DeviceName(mount.device).isPositional { remedies.append(.mapDisk(name: mount.device)) }
            why = reason.sentence.plain
        case .disk(let disk): why = "disk \(disk + 1) holds no file system that is known"
        case .stable: why = "the name does not tell which volume it is"
        case .notADisk where mount.isBind:
            why = "that directory is shown there, which can be changed by its own name"
        case .notADisk: why = "it is another machine's directory"
        }
        return StorageError(
            kind, GuestCode.missingMount,
            "the fstab mounts \(mount.device.hostBytes.shellText) at \(GuestPath(mount.path).shellText), which is not in the tree: "
                + why + (forChanges ? "; what is changed below it would not be seen in the guest" : ""),
            path: images.first?.path, remedies: remedies + [.nameVolume])
    }
}
