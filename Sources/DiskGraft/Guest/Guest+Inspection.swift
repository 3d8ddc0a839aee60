public import GuestTree
internal import Partitions
internal import Patcher
public import Storage

extension Guest {
    /// Finds the Linux systems on the disks.
    func survey(_ source: SourceOptions = SourceOptions()) throws(StorageError) -> Survey {
        let (readable, failures) = try openFileSystems()
        var survey = try GuestFinder.survey(
            volumes: volumes, fileSystems: readable, diskCount: images.count,
            presentation: try presentation(source), bootCode: try bootCode(),
            unread: failures.reasons, damaged: failures.damaged, damagedTables: damagedTables,
            openingOldRoots: registry.openOldRoot)
        if survey.guests.isEmpty { try failures.requireNone() }
        if let root = try rootVolume(source, among: survey.guests.map(\.rootVolume)) {
            noteCopies(of: root, &survey)
            survey.guests.removeAll { $0.rootVolume != root }
        } else {
            leaveOutCopies(&survey)
        }
        for guest in survey.guests {
            try failures.requireNone(in: guest.neededMounts)
            for mount in guest.neededMounts { try requireWhole(mount.volume) }
        }
        return survey
    }

    /// How the source presented its disks: what the user says of it, then what a description says.
    private func presentation(_ source: SourceOptions) throws(StorageError) -> SourcePresentation {
        try (machine?.completing(source) ?? source).presentation(diskCount: images.count)
    }

    /// Linux mounts no file system that ends behind its device.
    private func requireWhole(_ index: Int) throws(StorageError) {
        let volume = volumes[index]
        guard let length = volume.identity.deviceByteCount, length > volume.device.byteCount else { return }
        throw StorageError(
            .refused, GuestCode.cutOff,
            "the file system on \(volume.name) is \(length) bytes long, and only \(volume.device.byteCount) are there: "
                + "the image is cut off, and Linux would not mount it",
            path: path(ofVolume: index))
    }

    /// The one system that `source` means, else the first, as its fstab puts it together: for reading and changing
    /// files, which no damage in an unrelated file must stop. `refused` when there is none.
    func mountedSystem(_ source: SourceOptions = SourceOptions()) throws(StorageError) -> MountedSystem {
        let (readable, failures) = try openFileSystems()
        let roots = try GuestFinder.rootVolumes(volumes, readable)
        if roots.isEmpty { try failures.requireNone() }
        guard let root = try rootVolume(source, among: roots) ?? roots.first else {
            throw try noGuest(hasReadableVolumes: !readable.isEmpty)
        }
        let presentation = try presentation(source)
        let system: MountedSystem
        do throws(StorageError) {
            system = try MountedSystem(
                rootVolume: root, volumes: volumes, fileSystems: readable, diskCount: images.count,
                presentation: presentation, reading: .namesOnly)
        } catch {
            // A damaged fstab keeps nobody from the files of one volume.
            guard !error.isCancellation else { throw error }
            var named = error.inFile(path(ofVolume: root))
            if !named.remedies.contains(.nameVolume) { named.remedies.append(.nameVolume) }
            throw named
        }
        try failures.requireNone(in: system.mounts)
        return system
    }

    /// What says that the disks hold several systems and `source` names none; nil where there is one that is meant.
    public func severalSystems(
        _ source: SourceOptions = SourceOptions()
    ) throws(StorageError) -> StorageError? {
        guard source.root == nil else { return nil }
        let roots = try GuestFinder.rootVolumes(volumes, try openFileSystems().readable)
        guard roots.count > 1 else { return nil }
        let names = roots.map { volumes[$0].name }
        return StorageError(
            .refused, GuestCode.severalSystems,
            "there are several systems, with their roots on \(names.joined(separator: ", "))",
            path: images.first?.path, remedies: [.nameRoot])
    }

    /// File systems that could not be opened.
    private struct Failures {
        /// By volume, each naming its volume and image.
        var errors: [Int: StorageError] = [:]
        /// Why, by volume, in words alone.
        var reasons: [Int: String] = [:]

        /// Those that are of a form which is read here, and damaged.
        var damaged: Set<Int> { Set(errors.filter { $0.value.kind != .unsupported }.keys) }

        /// A root that cannot be opened is not found: this says why instead of "no guest".
        func requireNone() throws(StorageError) {
            if let first = errors.min(by: { $0.key < $1.key }) { throw first.value }
        }

        /// Throws for a mount whose files should be in the tree. What is sound and of a form that nobody reads here is not in
        /// it, as a kind of file system without a driver is not.
        func requireNone(in mounts: [LinuxSystem.Mount]) throws(StorageError) {
            for mount in mounts where !mount.isReadable {
                if let error = errors[mount.volume], error.kind != .unsupported { throw error }
            }
        }
    }

    /// The code page that a system mounts a volume with; nil where none says one. No system lies on a volume whose names need one.
    func codePage(of volume: Volume) throws(StorageError) -> Int? {
        var readable: [Int: any FileSystem] = [:]
        for (index, other) in volumes.enumerated()
        where registry.driver(for: other.identity.kind)?.hasCodePages == false {
            do throws(StorageError) {
                readable[index] = try fileSystem(on: index)
            } catch {
                // What keeps its files from being read is said where they are asked for.
                guard !error.isCancellation else { throw error }
            }
        }
        do throws(StorageError) {
            for root in try GuestFinder.rootVolumes(volumes, readable) {
                let system = try MountedSystem(
                    rootVolume: root, volumes: volumes, fileSystems: readable, diskCount: images.count,
                    presentation: SourcePresentation.unknown, reading: .namesOnly)
                if let page = try system.codePage(ofVolumesNamed: { $0.name == volume.name }) { return page }
            }
        } catch {
            guard !error.isCancellation else { throw error }
        }
        return nil
    }

    private func openFileSystems() throws(StorageError) -> (readable: [Int: any FileSystem], Failures) {
        var readable: [Int: any FileSystem] = [:]
        var failures = Failures()
        for (index, volume) in volumes.enumerated() where registry.driver(for: volume.identity.kind) != nil {
            do throws(StorageError) {
                readable[index] = try fileSystem(on: index)
            } catch {
                guard !error.isCancellation else { throw error }
                failures.errors[index] = volumeError(index, error)
                failures.reasons[index] = error.message
            }
        }
        return (readable, failures)
    }

    /// The root that `source` names, nil when it names none; `misuse` names the roots there are.
    private func rootVolume(_ source: SourceOptions, among roots: [Int]) throws(StorageError) -> Int? {
        guard let name = source.root else { return nil }
        let index = try volumeIndex(named: name)
        if roots.contains(index) { return index }
        let names = roots.map { volumes[$0].name }.joined(separator: ", ")
        throw StorageError(
            .misuse, GuestCode.noSuchRoot,
            "no system has its root on \(name)" + (names.isEmpty ? "" : "; there are roots on \(names)"),
            path: images.first?.path)
    }

    /// The disks whose partitions are told by the GPT at their end alone.
    private var damagedTables: Set<Int> {
        Set(
            layout.disks.filter { disk in
                guard case .gpt = disk.table.kind, let source = disk.table.source else { return false }
                return source != .primary
            }.map(\.index))
    }

    /// What the first sector of each disk starts.
    private func bootCode() throws(StorageError) -> [BootCode] {
        try devices.map { (device) throws(StorageError) in
            let first = try device.bytes(at: 0, count: Int(min(device.byteCount, 512)))
            return try BootCode(firstSector: first) { (number) throws(StorageError) in
                // Nothing lies behind the end; a table that says so has no boot sector.
                guard let offset = number *? 512, let end = offset +? 512, end <= device.byteCount else {
                    return []
                }
                return try device.bytes(at: offset, count: 512)
            }
        }
    }

    /// Says which systems have the UUID of the one that was chosen.
    private func noteCopies(of root: Int, _ survey: inout Survey) {
        guard let uuid = volumes[root].identity.uuid else { return }
        for guest in survey.guests
        where guest.rootVolume != root && volumes[guest.rootVolume].identity.uuid == uuid {
            survey.findings.append(
                "\(volumes[guest.rootVolume].name) and \(volumes[root].name) have the same UUID \(uuid): \(volumes[guest.rootVolume].name) "
                    + "is left as it is; which of the two a name by that UUID finds is chance")
        }
    }

    /// A system whose root bears the UUID of another's is a copy of it: nobody asked for the copy.
    private func leaveOutCopies(_ survey: inout Survey) {
        var kept: [LinuxSystem] = []
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

    /// The guest's own tree, put together from its fstab and nothing else of it, or one volume's. With several systems
    /// on the disks the first, which `GuestFiles.notes` says; `refused` when there is none. `source` tells what device
    /// names in the fstab stood for.
    public func files(
        volume: String? = nil, source: SourceOptions = SourceOptions()
    ) throws(StorageError) -> GuestFiles {
        if let volume {
            let index = try volumeIndex(named: volume)
            let fileSystem = try fileSystem(on: index)
            return GuestFiles(
                tree: FileSystemTree(volume: index, fileSystem), guest: self)
        }
        let system = try mountedSystem(source)
        let obstacles = try obstacles(in: system, forChanges: false)
        var mountPoints: [GuestPath: Int] = [:]
        for mount in system.mounts where mount.isReadable && mount.path != "/" {
            try Cancellation.check()
            // A mount point may be reached through links; the walk sees canonical paths.
            let path = GuestPath(mount.path)
            mountPoints[try system.tree.find(path)?.path ?? path] = mount.volume
        }
        var notes: [StorageError] = []
        if var several = try severalSystems(source) {
            several.message += "; the one on \(volumes[system.rootVolume].name) is read"
            notes.append(several)
        }
        return GuestFiles(
            tree: FileSystemTree(mounts: try readableMounts(of: system), obstacles: obstacles), guest: self,
            mountPoints: mountPoints, obstacles: obstacles, notes: notes)
    }

    /// `hasReadableVolumes`: the files of one volume are all that is asked for, and there is one.
    func noGuest(hasReadableVolumes: Bool = false) throws(StorageError) -> StorageError {
        let names = volumes.map { "\($0.name) (\($0.identity.kind.rawValue))" }.joined(separator: ", ")
        let foreign = try ForeignSystem(self).names
        let advice: String
        var remedies: [Remedy]
        if let suspended = volumes.first(where: { $0.identity.isHibernated }) {
            advice = "\(suspended.name) holds a suspended system, which must be shut down first"
            remedies = [.startGuest]
        } else if foreign.isEmpty {
            advice = "every disk of the guest is needed"
            remedies = [.giveDisk(path: nil)]
        } else {
            advice =
                "there is \(foreign.joined(separator: ", ")): nothing in it can be judged or changed here; give its fstab and "
                + "kernel arguments UUID= names in the running guest, then copy the disk as it is"
            remedies = [.migrateUnpatched, .convert(options: [])]
        }
        if hasReadableVolumes { remedies.append(.nameVolume) }
        return StorageError(
            .refused, foreign.isEmpty ? GuestCode.noGuest : .foreignSystem,
            "no Linux system was found" + (names.isEmpty ? "" : " on \(names)") + "; " + advice,
            path: images.first?.path, remedies: remedies)
    }

    private func volumeError(_ index: Int, _ error: StorageError) -> StorageError {
        var error = error.inFile(path(ofVolume: index))
        error.message = "\(volumes[index].name): \(error.message)"
        return error
    }
}
