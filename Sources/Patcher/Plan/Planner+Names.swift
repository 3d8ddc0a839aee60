internal import Storage

extension Planner {
    /// Resolves every device name and replaces those that will not hold on the target.
    mutating func repairNames() {
        for file in guest.files {
            for site in file.sites { repairName(file, site) }
        }
        disableDeviceNamesInFutureMenus()
    }

    private mutating func repairName(_ file: ScannedFile, _ site: DeviceSite) {
        let name = DeviceName(site.text)
        if case .notADevice = name { return }
        var resolution: Resolution =
            site.isOpaque ? .unresolved("it holds variables or escapes") : guest.resolver.resolve(name)
        if case .volume(let volume) = resolution, let clash = clash(site.use, volume) {
            resolution = .unresolved(clash)
        }
        references.append(reference(file, site, name, resolution))
        guard name.isPositional else { return }
        switch resolution {
        case .volume(let volume):
            guard let choice = replacement(for: volume, file, site) else { return }
            edit(file, site.range, choice.text, .names, choice.reason)
        case .disk(let disk):
            let new = controller.diskName(disk, oldIDEDriver: usesOldIDEDriver())
            if file.kind != .fstab {
                edit(
                    file, site.range, new, .names,
                    "\(site.text) is disk \(disk + 1), which \(request.target.hypervisor.title) presents as \(new)"
                )
            }
        case .notADisk, .stable, .unresolved: break
        }
    }

    private func reference(
        _ file: ScannedFile, _ site: DeviceSite, _ name: DeviceName, _ resolution: Resolution
    ) -> Reference {
        let resolvedName: String? =
            switch resolution {
            case .volume(let volume): guest.volumes[volume].name
            case .disk(let disk): "disk \(disk + 1)"
            default: nil
            }
        return Reference(
            path: file.file.displayPath, file: file.file.key, range: site.range,
            line: file.bytes[..<site.range.lowerBound].reduce(1) { $0 + ($1 == .newline ? 1 : 0) },
            kind: file.kind, use: site.use.summary, text: site.text, resolution: resolution,
            resolvedName: resolvedName, isStable: !name.isPositional)
    }

    /// Why a volume cannot be what a row means: what lies in it is something else.
    private func clash(_ use: DeviceSite.Use, _ volume: Int) -> String? {
        let found = guest.volumes[volume]
        let kind = found.identity.kind
        guard kind != .unknown else { return nil }
        switch use {
        case .fstab(let row):
            let types = row.types.filter { $0 != "auto" }
            if types.isEmpty || types.contains(where: { matches($0, kind) }) { return nil }
            return
                "the row says \(row.types.joined(separator: ",")), but \(found.name) holds \(kind.rawValue)"
        case .kernelArgument(let name, _), .sharedKernelArgument(let name):
            if name == "root", kind == .swap { return "\(found.name) is a swap area" }
            return nil
        case .loaderDisk: return nil
        }
    }

    private func matches(_ type: String, _ kind: VolumeIdentity.Kind) -> Bool {
        switch type {
        case "ext2", "ext3", "ext4", "ext4dev": kind.isExt
        case "vfat", "msdos", "fat", "umsdos": kind == .vfat
        case "ntfs", "ntfs-3g", "ntfs3", "fuseblk": kind == .ntfs
        case "swap": kind == .swap
        case "bind", "none": true
        default: type == kind.rawValue || ![.swap, .ext2, .ext3, .ext4, .xfs, .btrfs, .vfat].contains(kind)
        }
    }

    /// GRUB_DISABLE_LINUX_UUID=true would write device names into the next menu.
    private mutating func disableDeviceNamesInFutureMenus() {
        guard request.names != .target else { return }
        for file in guest.files(.grubDefaults) {
            guard case .shell(let variables) = file.syntax else { continue }
            for assignment in variables.assignments
            where assignment.name == "GRUB_DISABLE_LINUX_UUID" && assignment.text == "true" {
                edit(
                    file, assignment.valueRange, "false", .names,
                    "the next update of the menu would write device names again")
            }
        }
    }
}
