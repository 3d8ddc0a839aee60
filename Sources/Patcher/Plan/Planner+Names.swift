internal import Storage

extension Planner {
    /// Resolves every device name and replaces those that will not hold on the target.
    mutating func repairNames() {
        for file in guest.files {
            let lineStarts = TextLine.all(in: file.bytes).map(\.content.lowerBound)
            for site in file.sites { repairName(file, site, lineStarts) }
        }
        disableDeviceNamesInFutureMenus()
    }

    private mutating func repairName(_ file: ScannedFile, _ site: DeviceSite, _ lineStarts: [Int]) {
        let name = DeviceName(site.text)
        if case .notADevice = name { return }
        var resolution: Resolution =
            site.isOpaque ? .unresolved("it holds variables or escapes") : guest.resolver.resolve(name)
        if case .volume(let volume) = resolution, let clash = clash(site.use, volume) {
            resolution = .unresolved(clash)
        }
        references.append(reference(file, site, name, resolution, lineStarts))
        // The devices file has several words of one meaning in a row and is repaired by itself.
        switch site.use {
        case .lvmDevice, .reported: return
        default: break
        }
        guard name.isPositional else { return }
        switch resolution {
        case .volume(let volume):
            guard let choice = replacement(for: volume, file, site) else { return }
            // s2disk opens what it is told: it wants a path.
            let text = file.kind == .uswsusp ? Self.path(choice.text) : choice.text
            edit(file, site.range, text, .names, choice.reason)
        case .disk(let disk):
            let new = controller.diskName(position(disk), oldIDEDriver: usesOldIDEDriver())
            if file.kind != .fstab {
                edit(
                    file, site.range, new, .names,
                    "\(site.text) is disk \(disk + 1), which \(request.target.hypervisor.title) presents as \(new)"
                )
            }
        case .notADisk, .stable, .unresolved: break
        }
    }

    /// udev's link of a file system's UUID or label; labels that are written are plain.
    private static func path(_ name: String) -> String {
        for (tag, directory) in [("UUID=", "by-uuid"), ("LABEL=", "by-label")] where name.hasPrefix(tag) {
            return "/dev/disk/\(directory)/\(name.dropFirst(tag.count))"
        }
        return name
    }

    private func reference(
        _ file: ScannedFile, _ site: DeviceSite, _ name: DeviceName, _ resolution: Resolution,
        _ lineStarts: [Int]
    ) -> Reference {
        let resolvedName: String? =
            switch resolution {
            case .volume(let volume): guest.volumes[volume].name
            case .disk(let disk): "disk \(disk + 1)"
            default: nil
            }
        let nameOnTarget: String? =
            switch resolution {
            case .volume(let volume): targetName(volume, controller)
            case .disk(let disk): controller.diskName(position(disk), oldIDEDriver: usesOldIDEDriver())
            default: nil
            }
        return Reference(
            path: file.file.displayPath, file: file.file.key, range: site.range,
            line: lineStarts.prefix { $0 <= site.range.lowerBound }.count,
            kind: file.kind, use: site.use.summary, text: site.text, resolution: resolution,
            resolvedName: resolvedName, isStable: !name.isPositional,
            nameOnTarget: nameOnTarget)
    }

    /// Why a volume cannot be what a row means: what lies in it is something else. A file system of another kind than
    /// the row says is the guest's own affair.
    private func clash(_ use: DeviceSite.Use, _ volume: Int) -> String? {
        let found = guest.volumes[volume]
        let kind = found.identity.kind
        guard kind != .unknown else { return nil }
        let holds = "\(found.name) holds \(kind.rawValue)"
        let isContainer = [.lvm2, .mdRAID, .luks].contains(kind)
        switch use {
        case .fstab(let row):
            if row.isSwap, kind != .swap { return "the row says swap, but \(holds)" }
            if !row.isSwap, kind == .swap || isContainer {
                return "the row says \(row.types.joined(separator: ",")), but \(holds)"
            }
            return nil
        case .kernelArgument(let name, _), .sharedKernelArgument(let name):
            return name == "root" && (kind == .swap || isContainer) ? holds : nil
        case .crypttab, .lvmDevice, .loaderDisk, .reported: return nil
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
