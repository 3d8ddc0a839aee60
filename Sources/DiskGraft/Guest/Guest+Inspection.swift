internal import Patcher
public import Storage

extension Guest {
    /// Finds the Linux systems on the disks.
    func survey(_ source: SourceOptions = SourceOptions()) throws(StorageError) -> Survey {
        var readable: [Int: any FileSystem] = [:]
        var failures: [Int: StorageError] = [:]
        for (index, volume) in volumes.enumerated() where registry.driver(for: volume.identity.kind) != nil {
            do throws(StorageError) {
                readable[index] = try fileSystem(on: index)
            } catch {
                guard !error.isCancellation else { throw error }
                failures[index] = error
            }
        }
        var survey = try GuestFinder.survey(
            volumes: volumes, fileSystems: readable, diskCount: images.count,
            presentation: try source.presentation(diskCount: images.count), bootCode: try bootCode())
        // A root that cannot be opened is not found; say why instead of "no guest".
        if survey.guests.isEmpty, let (index, error) = failures.min(by: { $0.key < $1.key }) {
            throw volumeError(index, error)
        }
        if let root = source.root {
            try keepSystem(withRoot: root, &survey)
        } else {
            leaveOutCopies(&survey)
        }
        for guest in survey.guests {
            for mount in guest.mounts where !mount.isReadable {
                if let error = failures[mount.volume] { throw volumeError(mount.volume, error) }
            }
        }
        return survey
    }

    /// Leaves the one system whose root is on that volume; `misuse` names the roots there are.
    private func keepSystem(withRoot root: String, _ survey: inout Survey) throws(StorageError) {
        let index = try volumeIndex(named: root)
        if let system = survey.guests.first(where: { $0.rootVolume == index }) {
            survey.guests = [system]
            return
        }
        let roots = survey.guests.map { volumes[$0.rootVolume].name }.joined(separator: ", ")
        throw StorageError(
            .misuse, layer: "guest", code: "no-such-root",
            "no system has its root on \(root)" + (roots.isEmpty ? "" : "; there are roots on \(roots)"),
            path: images.first?.path)
    }

    /// What the first sector of each disk starts.
    private func bootCode() throws(StorageError) -> [BootCode] {
        try devices.map { (device) throws(StorageError) in
            BootCode(firstSector: try device.bytes(at: 0, count: Int(min(device.byteCount, 512))))
        }
    }

    /// A system whose root bears the UUID of another's is a copy of it: nobody asked for the copy.
    private func leaveOutCopies(_ survey: inout Survey) {
        var kept: [Patcher.Guest] = []
        for guest in survey.guests {
            let root = volumes[guest.rootVolume]
            let original = kept.first { other in
                let uuid = volumes[other.rootVolume].identity.uuid
                return uuid != nil && uuid == root.identity.uuid
            }
            guard let original, let uuid = root.identity.uuid else {
                kept.append(guest)
                continue
            }
            survey.findings.append(
                "\(root.name) and \(volumes[original.rootVolume].name) have the same UUID \(uuid): \(root.name) is a copy of the system "
                    + "and is left as it is unless it is chosen; which of the two a name by that UUID finds is chance"
            )
        }
        survey.guests = kept
    }

    /// The guest's own tree, put together from its fstab, or one volume's. With several systems on the disks the
    /// first; `refused` when there is none. `source` tells what device names in the fstab stood for.
    public func files(
        volume: String? = nil, source: SourceOptions = SourceOptions()
    ) throws(StorageError) -> GuestFiles {
        if let volume {
            let index = try volumeIndex(named: volume)
            let fileSystem = try fileSystem(on: index)
            return GuestFiles(
                tree: FileSystemTree(mounts: [
                    .init(path: [UInt8(ascii: "/")], volume: index, fileSystem: fileSystem)
                ]), guest: self)
        }
        let survey = try survey(source)
        guard let first = survey.guests.first else { throw try noGuest(survey) }
        var mountPoints: [[UInt8]: Int] = [:]
        for mount in first.mounts where mount.isReadable && mount.path != "/" {
            // A mount point may be reached through links; the walk sees canonical paths.
            let path = try first.tree.find(Array(mount.path.utf8), followLast: true)?.path
            mountPoints[path ?? Array(mount.path.utf8)] = mount.volume
        }
        return GuestFiles(tree: first.tree, guest: self, mountPoints: mountPoints)
    }

    func noGuest(_ survey: Survey) throws(StorageError) -> StorageError {
        let names = volumes.map { "\($0.name) (\($0.identity.kind.rawValue))" }.joined(separator: ", ")
        let foreign = try ForeignSystem(self).names
        let remedy: String
        if let suspended = volumes.first(where: { $0.identity.isHibernated }) {
            remedy = "\(suspended.name) holds a suspended system: start the guest and shut it down first"
        } else if foreign.isEmpty {
            remedy = "name every disk of the guest, the further ones with --with"
        } else {
            remedy =
                "there is \(foreign.joined(separator: ", ")): nothing in it can be judged or changed here; "
                + "give its fstab and kernel arguments UUID= names in the running guest, then copy the disk as it is with "
                + "`diskgraft migrate --unpatched` or `diskgraft convert`"
        }
        return StorageError(
            .refused, layer: "guest", code: foreign.isEmpty ? "no-guest" : "foreign-system",
            "no Linux system was found" + (names.isEmpty ? "" : " on \(names)") + "; " + remedy,
            path: images.first?.path)
    }

    private func volumeError(_ index: Int, _ error: StorageError) -> StorageError {
        var error = error.inFile(path(ofVolume: index))
        error.message = "\(volumes[index].name): \(error.message)"
        return error
    }

    /// The image that a volume lies on, the first when it lies on several.
    func path(ofVolume index: Int) -> String {
        switch volumes[index].location {
        case .wholeDisk(let disk), .partition(let disk, _): images[disk].path
        case .logicalVolume, .array: images.first?.path ?? ""
        }
    }
}
