package import GuestTree
internal import Storage

/// A device name found in a file, and what it stands for.
package struct Reference: Sendable, Equatable {
    /// Canonical path of the file.
    package var path: String
    /// The file.
    package var file: FileKey
    /// The bytes of the name.
    package var range: Range<Int>
    /// Line number, from 1.
    package var line: Int
    /// The kind of file.
    package var kind: ConfigurationKind
    /// What the name is for.
    package var use: DeviceSite.Use
    /// The name.
    package var text: String
    /// What it stands for.
    package var resolution: Resolution
    /// The name of that volume or disk for people: "p2", "disk 2".
    package var resolvedName: String?
    /// The name holds wherever the disks go.
    package var isStable: Bool
    /// What the target's controller calls that volume or disk; nil without a plan for one.
    package var nameOnTarget: String?

    /// Why it stands for nothing; nil where it does.
    package var unresolved: UnresolvedReason? {
        if case .unresolved(let reason) = resolution { reason } else { nil }
    }
    /// Which place it is.
    var site: SiteKey { SiteKey(file: file, offset: range.lowerBound) }
}

/// A place in a guest's files.
struct SiteKey: Hashable, Sendable {
    var file: FileKey
    var offset: Int
}

/// Every device name of a guest, each resolved once.
struct ReferenceTable: Sendable {
    /// In the order of the files, and of each file's sites.
    let all: [Reference]
    private let places: [SiteKey: Int]

    /// Resolves the names of `files`. Words that name no device are left out.
    init(_ files: [ScannedFile], _ resolver: DeviceResolver) throws(StorageError) {
        var all: [Reference] = []
        for file in files where !file.sites.isEmpty {
            try Cancellation.check()
            let lineStarts = TextLine.all(in: file.bytes).map(\.content.lowerBound)
            all += file.sites.compactMap { Self.reference(file, $0, resolver, lineStarts) }
        }
        self.all = all
        places = Dictionary(
            all.enumerated().map { ($1.site, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The name that begins at `offset` of a file.
    subscript(file: FileKey, offset: Int) -> Reference? {
        places[SiteKey(file: file, offset: offset)].map { all[$0] }
    }

    private static func reference(
        _ file: ScannedFile, _ site: DeviceSite, _ resolver: DeviceResolver, _ lineStarts: [Int]
    ) -> Reference? {
        let name = DeviceName(site.text)
        if case .notADevice = name { return nil }
        var resolution: Resolution = site.isOpaque ? .unresolved(.opaque) : resolver.resolve(name)
        if case .lvmDevice(let pvid?) = site.use { resolution = resolver.resolve(physicalVolume: pvid) }
        if case .unresolved(let reason) = resolution,
            let safe = resolver.harmlessly(name, site.use, reason)
        {
            resolution = safe
        }
        if resolution == .stable || resolution == .notADisk, site.use.isAwaited,
            let reason = resolver.sourceProblem(name)
        {
            resolution = .unresolved(reason)
        }
        if case .unresolved(let reason) = resolution, site.use.takesVolume, !site.use.isRoot,
            resolver.mayBeEncrypted(reason)
        {
            resolution = .stable
        }
        // The root is known by its contents, and nothing waits for its row.
        if case .fstab(let row) = site.use, row.mountPoint == "/",
            case .unresolved(.noBearer(.identifier(_))) = resolution
        {
            resolution = .stable
        }
        // Nothing that could be mounted or encrypted lies on a disk beside its partitions.
        if case .disk(let disk) = resolution, site.use.takesVolume || site.use.isSwap {
            resolution = .unresolved(.holdsPartitions(site.text, disk: disk))
        }
        if case .volume(let volume) = resolution,
            let clash = clash(site, resolver.volumes[volume]) ?? otherRoot(site, volume, resolver)
        {
            resolution = .unresolved(clash)
        }
        let resolvedName: String? =
            switch resolution {
            case .volume(let volume): resolver.volumes[volume].name
            case .disk(let disk): "disk \(disk + 1)"
            default: nil
            }
        return Reference(
            path: file.file.displayPath, file: file.file.key, range: site.range,
            line: lineStarts.firstIndex(sortedBy: { $0 > site.range.lowerBound }),
            kind: file.kind, use: site.use, text: site.text, resolution: resolution,
            resolvedName: resolvedName, isStable: !name.isPositional)
    }

    /// The row of the root would be another volume than the one on which this fstab lies, or is one of several.
    private static func otherRoot(
        _ site: DeviceSite, _ volume: Int, _ resolver: DeviceResolver
    ) -> UnresolvedReason? {
        guard case .fstab(let row) = site.use, row.mountPoint == "/", DeviceName(site.text).isPositional
        else {
            return nil
        }
        if resolver.usage.rootNames.count > 1 { return .severalRoots(resolver.usage.rootNames) }
        guard let root = resolver.usage.rootVolume, root != volume,
            !resolver.isPartOfOneFileSystem(root, volume)
        else { return nil }
        return .otherRoot(volume: resolver.volumes[volume].name, root: resolver.volumes[root].name)
    }

    /// Why a volume cannot be what a row means: what lies in it is something else. The root is known by its contents, and
    /// behind a name that holds wherever the disks go a file system of another kind is the guest's own affair.
    private static func clash(_ site: DeviceSite, _ volume: Volume) -> UnresolvedReason? {
        let kind = volume.identity.kind
        let isOther = [.swap, .volumes, .encrypted].contains(kind.content)
        switch site.use {
        case .fstab(let row):
            let isClash =
                row.isSwap
                ? kind != .unknown && !volume.shownKinds.contains(.swap)
                : isOther
                    || row.mountPoint != "/" && row.mountTypes.contradicts(kind)
                        && DeviceName(site.text).isPositional
            return isClash ? .rowSays(types: row.types, volume: volume.name, kind: kind) : nil
        case .unit(_, let types?):
            return types.contradicts(kind) && DeviceName(site.text).isPositional
                ? .rowSays(types: types.words, volume: volume.name, kind: kind) : nil
        case .kernelArgument("root", _), .sharedKernelArgument("root"):
            return isOther ? .noFileSystem(volume: volume.name, kind: kind) : nil
        case .crypttab(let row):
            return row.contradicts(kind) && !row.leaves(kind) && DeviceName(site.text).isPositional
                ? .encryptsAnother(mapping: row.name, volume: volume.name, kind: kind) : nil
        case .fstabOption, .unit(_, nil), .unitDependency, .kernelArgument, .sharedKernelArgument,
            .crypttabPart,
            .lvmDevice,
            .loaderDisk, .reported:
            return nil
        }
    }
}
