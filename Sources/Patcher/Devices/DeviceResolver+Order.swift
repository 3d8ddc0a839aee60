/// Which disk a name stands for by its place in an order. An order is believed only when it is complete: when no more disks
/// are named than were given, and none that the user tied to another name.
extension DeviceResolver {
    /// Which disk a positional name stands for.
    package func disk(of name: DiskName) -> Result<Int, UnresolvedReason> {
        if let disk = presentation.map[name.base] {
            guard disk >= 0, disk < diskCount else {
                return .failure(.statedDiskMissing(disk: disk, given: diskCount))
            }
            if let problem = contradiction(of: name, on: disk) { return .failure(problem) }
            return .success(disk)
        }
        if let anchor = anchors[name.base] { return .success(anchor.disk) }
        if usage.lent.contains(name) { return .failure(.lent(name)) }
        if name.isAzureRoot, let root = usage.rootDisk { return .success(root) }
        if rootAnchor == nil, usage.isCopy { return .failure(.ofCopy(name)) }
        if let misfit = familyMisfit(name) { return .failure(misfit) }
        if let address = name.address, !countsByPosition(name) { return order(name, at: address) }
        guard let position = position(of: name) else { return .failure(.namedByHardware(name)) }
        if let lent = lent(before: position, name.family) {
            return .failure(.behindLent(name, other: lent.base))
        }
        return order(name, position)
    }

    /// What the guest's own contents say against the user's word. The root is where its fstab was found, and a driver gives
    /// a disk one name.
    private func contradiction(of name: DiskName, on disk: Int) -> UnresolvedReason? {
        if usage.refuted.contains(name.base) { return .statedMountedElsewhere(name, disk: disk) }
        guard let root = rootAnchor else { return nil }
        if root.name.base == name.base {
            return root.disk == disk ? nil : .statedAgainstRoot(name, disk: disk, root: root.disk)
        }
        return root.disk == disk && root.name.family == name.family && name.family.isLettered
            ? .statedForRootDisk(name, disk: disk, root: root.name) : nil
    }

    /// A disk before that place of which nobody knows whether it is among those given.
    private func lent(before position: Int, _ family: DiskName.Family) -> DiskName? {
        usage.lent.first { other in
            countsAlike(other.family, family) && presentation.map[other.base] == nil
                && self.position(of: other).map { $0 < position } ?? false
        }
    }

    private func order(_ name: DiskName, _ position: Int) -> Result<Int, UnresolvedReason> {
        let used = positions[name.family] ?? []
        // Some kinds do not begin with the first disk.
        var first = 0
        if let anchor = rootAnchor, countsAlike(anchor.name.family, name.family),
            let anchorPosition = self.position(of: anchor.name), anchorPosition != anchor.disk
        {
            // The root's own row shows it.
            guard name.family == .xvd, anchorPosition - anchor.disk == 4 else {
                return .failure(.otherOrder(name))
            }
            first = 4
        } else if name.family == .xvd, rootAnchor == nil, usage.isRHEL6, (used.first ?? 0) >= 4 {
            first = 4
        }
        var index = position - first
        let sure = surePositions(name.family)
        if let sure, position >= sure {
            // Which channel positions hold disks is known only when all of them are named, the first included.
            guard used.count == diskCount, used.first == 0, let rank = used.firstIndex(of: position) else {
                return .failure(.unsurePosition(name, position: position))
            }
            index = rank
        } else if index < diskCount, let last = used.last,
            sure == nil ? last - first >= diskCount : used.count > diskCount
        {
            let other = usage.disks.first { $0.family == name.family && self.position(of: $0) == last }
            return .failure(.moreNamesThanDisks(name, other: other?.base ?? name.base, given: diskCount))
        }
        guard index >= 0, index < diskCount else {
            if index >= 0, hasFreeDisk(beside: used.map { $0 - first }, name.family) {
                return .failure(.behindGap(name, disk: index, given: diskCount))
            }
            return .failure(.behindLastDisk(name, disk: index, given: diskCount))
        }
        if statedDisks(of: name.family).contains(index) {
            return .failure(.statedForAnother(name, disk: index))
        }
        return .success(index)
    }

    /// A disk was given that no name in use counts, that the user tied to none, and that is not the root's.
    private func hasFreeDisk(beside places: [Int], _ family: DiskName.Family) -> Bool {
        guard diskCount > 1 else { return false }
        let stated = statedDisks(of: family)
        return (0..<diskCount).contains {
            !places.contains($0) && !stated.contains($0) && $0 != usage.rootDisk
        }
    }

    /// Disks that the user tied names of a kind to.
    private func statedDisks(of family: DiskName.Family) -> Set<Int> {
        Set(
            presentation.map.compactMap { text, disk in
                guard case .disk(let name, _) = DeviceName(text), countsAlike(name.family, family) else {
                    return nil
                }
                return disk
            })
    }

    /// A place on a bus is the disk's where a name is in use for every disk: then the order of the addresses is that of
    /// the disks, if the root's own name is in it at the root's place, or if it begins with the first address. Behind a
    /// single controller a target or LUN other than the first counts the disks before it too.
    private func order(_ name: DiskName, at address: BusAddress) -> Result<Int, UnresolvedReason> {
        // Nodes of NVMe count among themselves.
        let addresses = addresses.filter { ($0.family == .nvme) == (name.family == .nvme) }
        let stated = statedDisks(of: name.family)
        let disks = (0..<diskCount).filter { !stated.contains($0) }
        let root = rootAnchor.flatMap { anchor in
            addresses.firstIndex { $0.base == anchor.name.base }.map { (rank: $0, disk: anchor.disk) }
        }
        if addresses.count == disks.count, Self.isWithoutGap(addresses.compactMap(\.address)),
            let rank = addresses.firstIndex(where: { $0.address == address })
        {
            if let root {
                return disks[root.rank] == root.disk ? .success(disks[rank]) : .failure(.otherOrder(name))
            }
            if disks.count > 1, addresses.first?.address?.isFirst == true { return .success(disks[rank]) }
        }
        let ordinals = addresses.map { $0.address?.ordinal }
        guard stated.isEmpty, root == nil, let ordinal = address.ordinal, ordinal > 0,
            ordinals.allSatisfy({ $0.map { $0 < diskCount } ?? false }),
            addresses.allSatisfy({ $0.address?.controller == address.controller })
        else { return .failure(.uncertainAddress(name)) }
        return .success(ordinal)
    }

    /// Behind each controller the places follow one another from the first on: behind one that is left out, a disk may be that
    /// nobody names. An adapter's own target 7 is no gap.
    private static func isWithoutGap(_ addresses: [BusAddress]) -> Bool {
        Dictionary(grouping: addresses, by: \.controller).values.allSatisfy { places in
            let numbers = places.compactMap(\.number).sorted()
            return numbers.count < places.count
                || zip(numbers, 0...).allSatisfy { $0 == $1 || $1 >= 7 && $0 == $1 + 1 }
        }
    }

    /// IDE positions and SATA ports count like letters, as long as they are one controller's.
    private func countsByPosition(_ name: DiskName) -> Bool {
        if name.family == .nvme { return position(of: name) != nil }
        guard name.family == .idePosition || name.family == .ataPort else { return false }
        return addresses.allSatisfy { $0.address?.controller == name.address?.controller }
    }

    /// How many positions of a family surely hold disks when they are named; positions behind may be an optical
    /// drive's (hdc) or another controller's (SATA ports and IDE channels are written alike).
    private func surePositions(_ family: DiskName.Family) -> Int? {
        switch family {
        case .hd, .qemuSerial, .idePosition: 2
        case .ataPort: 1
        default: nil
        }
    }

    func countsAlike(_ one: DiskName.Family, _ other: DiskName.Family) -> Bool {
        if one == other { return true }
        let ide: Set<DiskName.Family> = [.hd, .qemuSerial, .idePosition]
        if ide.contains(one), ide.contains(other) { return true }
        let xen: Set<DiskName.Family> = [.hd, .sd, .xvd, .qemuSerial, .idePosition]
        return presentation.hypervisor?.hasAliasedDiskNames == true && xen.contains(one)
            && xen.contains(other)
    }
}

extension DiskName {
    /// A link to the disk that holds the root, by the rules of Azure's agent, azure-vm-utils or cloud-init.
    fileprivate var isAzureRoot: Bool {
        ["/dev/disk/azure/root", "/dev/disk/azure/os", "/dev/disk/cloud/azure_root"].contains(base)
    }
}
