internal import Storage

/// What the target calls the guest's disks.
extension PlanDraft {
    /// The place of a disk in the order of the target's names.
    private func position(_ disk: Int) -> Int {
        // RHEL 6's Xen driver counts from xvde.
        let isRHEL6 = guest.release?.family == .redHat && guest.release?.major == 6
        return isRHEL6 && controller == .xenBlkfront ? disk + 4 : disk
    }

    /// The name of a disk on the target.
    func targetName(ofDisk disk: Int) -> String {
        controller.diskName(position(disk), oldIDEDriver: usesOldIDEDriver())
    }

    /// The name of a volume on the target; nil for those that have one of their own.
    func targetName(ofVolume volume: Int, kernel: [Int]? = nil) -> String? {
        switch guest.volumes[volume].location {
        case .partition(let disk, let number):
            controller.partitionName(position(disk), number, oldIDEDriver: usesOldIDEDriver(kernel))
        case .wholeDisk(let disk):
            controller.diskName(position(disk), oldIDEDriver: usesOldIDEDriver(kernel))
        case .logicalVolume, .array: nil
        }
    }

    /// What the target calls a volume whose name stays as it is though it does not hold there; nil where the name holds
    /// anywhere, is replaced, or is the target's too.
    func newName(of reference: Reference, kernel: [Int]? = nil) -> String? {
        guard !reference.isStable, case .volume(let volume) = reference.resolution else { return nil }
        let isReplaced = files[reference.file]?.edits.contains { $0.range == reference.range } ?? false
        guard !isReplaced, let name = targetName(ofVolume: volume, kernel: kernel) else { return nil }
        let names = [name, targetName(ofVolume: volume)]
        return names.contains(reference.text) ? nil : name
    }

    /// Whether an IDE controller's disks are hda there.
    func usesOldIDEDriver(_ kernel: [Int]? = nil) -> Bool {
        let version = kernel ?? guest.firstKernelVersion
        return guest.release?.usesOldIDEDriver(kernel: version)
            ?? version.map { isVersion($0, below: [2, 6, 20]) } ?? false
    }

    /// The guest's device names, with what the target calls each.
    func references() -> [Reference] {
        guest.references.map { reference in
            var reference = reference
            reference.nameOnTarget =
                switch reference.resolution {
                case .volume(let volume): targetName(ofVolume: volume)
                case .disk(let disk): targetName(ofDisk: disk)
                default: nil
                }
            return reference
        }
    }
}
