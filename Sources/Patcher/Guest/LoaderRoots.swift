internal import Storage

/// Which volumes a GRUB reads an entry's files from. Its names count the disks as the firmware of the new machine does: a BIOS
/// begins with the disk that it starts, and goes on in the order given.
struct LoaderRoots: Sendable {
    /// Where an entry's files lie.
    enum Place: Sendable, Hashable {
        /// On this volume.
        case volume(Int)
        /// On what will not be there.
        case missing(device: String, LoaderDeviceProblem)
        /// Cannot be told.
        case unknown
    }

    private let volumes: [Volume]
    private let diskCount: Int
    /// The disks as the firmware counts; nil where that cannot be told.
    private let order: [Int]?

    /// `home`: the volume with the menu.
    init(_ frame: GuestFrame, home: Int) {
        volumes = frame.volumes
        diskCount = frame.diskCount
        guard diskCount > 1 else {
            order = [0]
            return
        }
        let started = frame.bootCode.indices.filter { frame.bootCode[$0] != .none }
        let own = LinuxSystem.disk(of: frame.volumes[home])
        // UEFI counts by the paths of its devices.
        guard let first = started.first(where: { $0 == own }) ?? started.first,
            !frame.volumes.contains(where: \.isEFISystemPartition)
        else {
            order = nil
            return
        }
        order = [first] + (0..<frame.diskCount).filter { $0 != first }
    }

    /// Where a file of an entry lies, and its path there.
    func place(of file: String, of entry: BootEntry, in menu: ScannedFile, inherited: [GRUBRootSetting])
        -> (place: Place, path: Substring)
    {
        guard menu.syntax is any GRUBMenu || menu.syntax is any GRUB2Text || menu.syntax is LoaderEntry else {
            return (.unknown, file[...])
        }
        let isLegacy = menu.syntax is any GRUBLegacyText
        guard file.first == "(", let end = file.firstIndex(of: ")") else {
            return (place(inherited + entry.rootSettings, isLegacy), file[...])
        }
        let path = file[file.index(after: end)...]
        let device = file[...end]
        if ["($root)", "(${root})"].contains(device) {
            return (place(inherited + entry.rootSettings, isLegacy), path)
        }
        return (place(of: String(device), isLegacy), path)
    }

    /// What the settings come to: one place where all ways lead to it.
    private func place(_ settings: [GRUBRootSetting], _ isLegacy: Bool) -> Place {
        var places: [Place] = [.unknown]
        for setting in settings {
            let found: Place? =
                switch setting.place {
                case .device(let name): place(of: name, isLegacy)
                case .uuid(let uuid): bearer { $0.identity.uuid?.lowercased() == uuid.lowercased() }
                case .label(let label): bearer { $0.identity.label == Array(label.utf8) }
                case .unknown: .unknown
                }
            // A search that finds nothing leaves what was there.
            guard let found else { continue }
            places = (setting.isConditional ? places : []) + [found]
        }
        guard let last = places.last, places.allSatisfy({ $0 == last || $0.isMissing && last.isMissing })
        else {
            return .unknown
        }
        return last
    }

    private func bearer(_ matches: (Volume) -> Bool) -> Place? {
        let found = volumes.indices.filter { matches(volumes[$0]) }
        guard let first = found.first else { return nil }
        return found.count == 1 ? .volume(first) : .unknown
    }

    private func place(of name: String, _ isLegacy: Bool) -> Place {
        if name.hasPrefix("lvm/") || name.hasPrefix("(lvm/") {
            let plain = name.filter { !"()".contains($0) }.dropFirst("lvm/".count)
            guard case .logicalVolume(let group, let volume) = DeviceName("/dev/mapper/\(plain)") else {
                return .unknown
            }
            // It may lie in what is closed, or in a group of which a disk was not given.
            let mayBeHidden = volumes.contains { [.lvm2, .luks, .mdRAID].contains($0.identity.kind) }
            return bearer { $0.location == .logicalVolume(group: group, name: volume) }
                ?? (mayBeHidden ? .unknown : .missing(device: name, .noLogicalVolumes))
        }
        guard let device = GRUBDevice(name, countsFromZero: isLegacy) else { return .unknown }
        guard device.disk < diskCount else {
            return .missing(device: name, .noDisk(given: diskCount))
        }
        guard let order else {
            guard let number = device.partition, !volumes.contains(where: { $0.hasNumber(number) }) else {
                return .unknown
            }
            return .missing(device: name, .noPartition(disk: nil, number: number))
        }
        let disk = order[device.disk]
        guard let number = device.partition else {
            return bearer { $0.location == .wholeDisk(disk: disk) }
                ?? .missing(device: name, .holdsPartitions(disk: disk))
        }
        return bearer { $0.location == .partition(disk: disk, number: number) }
            ?? .missing(device: name, .noPartition(disk: disk, number: number))
    }
}

extension LoaderRoots.Place {
    fileprivate var isMissing: Bool { if case .missing = self { true } else { false } }
}

extension Volume {
    /// A partition of that number, of any disk.
    fileprivate func hasNumber(_ number: Int) -> Bool {
        if case .partition(_, number) = location { true } else { false }
    }
}

/// Why a device that a loader looks on will not be there.
package enum LoaderDeviceProblem: Sendable, Hashable {
    /// A disk behind the last.
    case noDisk(given: Int)
    /// The disk (0 is the first given; nil: whichever it is) has no such partition.
    case noPartition(disk: Int?, number: Int)
    /// All of the disk (0 is the first given) is no file system: it holds partitions.
    case holdsPartitions(disk: Int)
    /// No disk has anything of LVM.
    case noLogicalVolumes

    /// For people.
    package var words: String {
        switch self {
        case .noDisk(let given): given == 1 ? "only one disk was given" : "\(given) disks were given"
        case .noPartition(let disk?, let number): "disk \(disk + 1) has no partition \(number)"
        case .noPartition(nil, let number): "no disk has a partition \(number)"
        case .noLogicalVolumes: "no disk has logical volumes"
        case .holdsPartitions(let disk): "disk \(disk + 1) holds partitions"
        }
    }
}
