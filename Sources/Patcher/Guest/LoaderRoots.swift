internal import GuestTree
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
    /// The volume that a GRUB which a BIOS starts begins with, its own directory's; nil where that cannot be told.
    private let home: Int?
    /// The disks as the firmware counts; nil where that cannot be told.
    private let order: [Int]?

    /// `home`: the volume with the menu.
    init(_ frame: GuestFrame, home: Int) {
        volumes = frame.volumes
        diskCount = frame.diskCount
        // What UEFI's GRUB begins with, and a menu that another system's leads to, are known to these alone.
        let isOwn = frame.systemRoots.count <= 1 && !frame.volumes.contains(where: \.isEFISystemPartition)
        self.home = isOwn ? home : nil
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

    /// Where a file of an entry lies, and its path there. `index`: 0 is the kernel, the initrds count from 1.
    func place(
        of file: String, _ index: Int, of entry: BootEntry, in menu: ScannedFile, inherited: [GRUBRootSetting]
    ) -> (place: Place, path: Substring) {
        guard menu.menuType?.pathBase == .volume else { return (.unknown, file[...]) }
        let isLegacy = menu.syntax.grubLegacyText != nil
        let settings = inherited + entry.rootSettings(ofFile: index)
        if isLegacy, let failing = failing(entry.rootSettings) { return (failing, file[...]) }
        guard file.first == "(", let end = file.firstIndex(of: ")") else {
            return (place(settings, menu), file[...])
        }
        let path = file[file.index(after: end)...]
        let device = file[...end]
        if ["($root)", "(${root})"].contains(device) { return (place(settings, menu), path) }
        return (place(of: String(device), isLegacy), path)
    }

    /// Where a file lies that a command names by its device, and its path there; nil where it does not.
    func place(ofDeviceIn file: String, in menu: ScannedFile) -> (place: Place, path: Substring)? {
        guard file.first == "(", let end = file.firstIndex(of: ")") else { return nil }
        let place = place(of: String(file[...end]), menu.syntax.grubLegacyText != nil)
        return (place, file[file.index(after: end)...])
    }

    /// Its loader counts paths from the root of one volume.
    static func readsByVolume(_ menu: ScannedFile) -> Bool {
        menu.menuType.map { $0.pathBase != .system } ?? false
    }

    /// The first command of an entry of GRUB legacy's that fails, and ends it.
    private func failing(_ settings: [GRUBRootSetting]) -> Place? {
        settings.lazy.filter(\.mustHold).compactMap { setting -> Place? in
            switch setting.place {
            case .device(let name):
                let place = self.place(of: name, true)
                // What holds no file system is found by the kernel's own path.
                return place.isMissing ? place : nil
            case .uuid(let uuid):
                return bearer(of: uuid) == nil ? .missing(device: "uuid \(uuid)", .noBearer) : nil
            case .label, .unknown: return nil
            }
        }.first
    }

    /// Where GRUB looks before any command says otherwise.
    private func start(_ menu: ScannedFile) -> Place {
        guard let home else { return .unknown }
        switch menu.menuType?.start {
        case .ownVolume?: return menu.file.volume == home ? .volume(home) : .unknown
        case .loadersVolume?: return .volume(home)
        case .unknown?, nil: return .unknown
        }
    }

    /// What the settings come to: one place where all ways lead to it.
    private func place(_ settings: [GRUBRootSetting], _ menu: ScannedFile) -> Place {
        let isLegacy = menu.syntax.grubLegacyText != nil
        var places = [start(menu)]
        for setting in settings {
            let found: Place? =
                switch setting.place {
                case .device(let name): place(of: name, isLegacy)
                case .uuid(let uuid): bearer(of: uuid)
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

    private func bearer(of uuid: String) -> Place? {
        bearer { $0.identity.uuid?.lowercased() == uuid.lowercased() }
    }

    private func bearer(_ matches: (Volume) -> Bool) -> Place? {
        let found = volumes.indices.filter { matches(volumes[$0]) }
        guard let first = found.first else { return nil }
        return found.count == 1 ? .volume(first) : .unknown
    }

    private func holds(_ kinds: VolumeIdentity.Kind...) -> Bool {
        volumes.contains { kinds.contains($0.identity.kind) }
    }

    private func place(of name: String, _ isLegacy: Bool) -> Place {
        func missing(_ problem: LoaderDeviceProblem) -> Place { .missing(device: name, problem) }
        // It may lie in what is closed, or in a group of which a disk was not given.
        let mayBeHidden = holds(.lvm2, .luks, .mdRAID)
        if name.contains("$") { return .unknown }
        switch GRUBDeviceKind(name, isLegacy: isLegacy) {
        case .disk(let device): return place(of: device, name)
        case .logicalVolume(let plain):
            guard case .logicalVolume(let group, let volume) = DeviceName("/dev/mapper/\(plain)") else {
                return .unknown
            }
            return bearer { $0.location == .logicalVolume(group: group, name: volume) }
                ?? (mayBeHidden ? .unknown : missing(.noLogicalVolumes))
        case .logicalVolumeByUUID: return mayBeHidden ? .unknown : missing(.noLogicalVolumes)
        case .array, .arrayByUUID: return holds(.luks, .mdRAID) ? .unknown : missing(.noArrays)
        case .container: return holds(.luks) ? .unknown : missing(.noContainers)
        case .medium: return missing(.noMedium)
        case .slice: return missing(.noSlices)
        case .ownDriver(let driver): return missing(.ownDriver(driver))
        case .network: return missing(.network)
        case .made: return missing(.madeByLoader)
        case .other: return missing(.noSuchName)
        }
    }

    private func place(of device: GRUBDevice, _ name: String) -> Place {
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
        return bearer {
            $0.location == .partition(disk: disk, number: number) && $0.isIn(device.table)
        }
            ?? .missing(device: name, .noPartition(disk: disk, number: number))
    }
}

extension LoaderRoots.Place {
    fileprivate var isMissing: Bool { if case .missing = self { true } else { false } }
}

extension Volume {
    /// Its table may be one of that kind: what a partition's UUID is made of shows it.
    fileprivate func isIn(_ table: GRUBDevice.Table?) -> Bool {
        guard let table, let uuid = partitionUUID else { return true }
        return (UUID16(text: uuid) != nil) == (table == .gpt)
    }

    /// A partition of that number, of any disk.
    fileprivate func hasNumber(_ number: Int) -> Bool {
        if case .partition(_, number) = location { true } else { false }
    }
}
