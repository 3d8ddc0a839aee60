internal import GuestTree
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
            presentation: try source.presentation(diskCount: images.count))
        // A root that cannot be opened is not found; say why instead of "no guest".
        if survey.guests.isEmpty, let (index, error) = failures.min(by: { $0.key < $1.key }) {
            throw volumeError(index, error)
        }
        try noteMissingLoader(&survey)
        if let root = source.root { try keepSystem(withRoot: root, &survey) }
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

    /// A paravirtual guest that pygrub starts needs no boot code, and no BIOS can start it then.
    private func noteMissingLoader(_ survey: inout Survey) throws(StorageError) {
        guard let device = devices.first, !survey.guests.isEmpty,
            !survey.guests.contains(where: \.hasEFISystemPartition)
        else { return }
        // 440 bytes of code come before the disk's signature and its table.
        guard try device.bytes(at: 0, count: 440).allSatisfy({ $0 == 0 }) else { return }
        survey.findings.append(
            "disk 1 has no boot loader in its first sector: only pygrub starts such a guest; for a BIOS run grub-install "
                + "in it first")
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
                tree: FileSystemTree(volume: index, fileSystem), guest: self)
        }
        let survey = try survey(source)
        guard let first = survey.guests.first else { throw noGuest(survey) }
        var mountPoints: [GuestPath: Int] = [:]
        for mount in first.mounts where mount.isReadable && mount.path != "/" {
            // A mount point may be reached through links; the walk sees canonical paths.
            let path = GuestPath(mount.path)
            mountPoints[try first.tree.find(path)?.path ?? path] = mount.volume
        }
        return GuestFiles(tree: first.tree, guest: self, mountPoints: mountPoints)
    }

    func noGuest(_ survey: Survey) -> StorageError {
        let names = volumes.map { "\($0.name) (\($0.identity.kind.rawValue))" }.joined(separator: ", ")
        let closed = volumes.filter {
            [.xfs, .btrfs, .luks].contains($0.identity.kind) && registry.driver(for: $0.identity.kind) == nil
        }
        .map { "\($0.name) (\($0.identity.kind.rawValue))" }
        let remedy =
            if let suspended = volumes.first(where: { $0.identity.isHibernated }) {
                "; \(suspended.name) holds a suspended system: start the guest and shut it down first"
            } else if closed.isEmpty {
                "; name every disk of the guest, the further ones with --with"
            } else {
                "; if it is on \(closed.joined(separator: " or ")), whose files cannot be read here, give its fstab and "
                    + "kernel arguments UUID= names in the running guest, then copy the disk with `diskgraft convert`"
            }
        return StorageError(
            .refused, layer: "guest", code: "no-guest",
            "no Linux system was found" + (names.isEmpty ? "" : " on \(names)") + remedy,
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
