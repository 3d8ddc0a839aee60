internal import GuestTree
internal import Storage

/// What a new machine's firmware starts, file by file, to the kernel.
package struct BootPath: Sendable, Equatable {
    /// The firmware.
    package enum Firmware: String, Sendable {
        /// A BIOS.
        case bios
        /// UEFI, with an empty variable store.
        case uefi
    }

    /// One thing that is started or read.
    package struct Step: Sendable, Equatable {
        /// Where: "p1:/EFI/BOOT/BOOTX64.EFI", a path of the guest's tree, or "disk 1".
        package var place: String
        /// What: "shim", "grub2", "kernel".
        package var what: String
        /// Under whose certificates it is signed; nothing is verified.
        package var signers: [String] = []
        /// The plan puts it there.
        package var isNew = false
        /// It is there; nil where nobody can tell.
        package var isThere: Bool? = true
        /// Why firmware does not start it; nil where nothing shows that.
        package var fault: PEImage.Fault?
    }

    /// The firmware.
    package var firmware: Firmware
    /// The steps, as far as they can be followed.
    package var steps: [Step]

    /// For people, in one line.
    package var sentence: String {
        steps.map { step in
            var notes = [step.what]
            if step.isNew { notes.append("put there by this plan") }
            if step.isThere == false { notes.append("not there") }
            if let fault = step.fault { notes.append(fault.words) }
            if !step.signers.isEmpty { notes.append("signed under \(step.signers.joined(separator: ", "))") }
            return "\(step.place) (\(notes.joined(separator: "; ")))"
        }.joined(separator: " → ")
    }
}

extension LinuxSystem {
    /// The paths of both firmwares, as far as each starts the disks. `making` is what a plan adds.
    package func bootPaths(with making: FallbackMaking? = nil) -> [BootPath] {
        var paths: [BootPath] = []
        if let disk = firmware.biosDisk {
            let code = frame.bootCode[disk]
            paths.append(
                BootPath(
                    firmware: .bios,
                    steps: [.init(place: "disk \(disk + 1)", what: code.words)] + menuSteps(nil)))
        }
        if let path = uefiPath(making) { paths.append(path) }
        return paths
    }

    private func uefiPath(_ making: FallbackMaking?) -> BootPath? {
        guard let found = inspection.efi, !found.loaders.isEmpty else { return nil }
        let efi = making.map(found.after) ?? found
        let state = FallbackState(efi, efiMachine)
        let name = volumes[efi.volume].name
        var steps = state.programs.map { loader in
            BootPath.Step(
                place: "\(name):/\(loader.names.joined(separator: "/"))", what: loader.kind.rawValue,
                signers: loader.signers, isNew: !found.loaders.contains { $0.isSame(as: loader) },
                fault: loader.fault(on: efiMachine))
        }
        switch state.problem {
        case nil, .damaged?, .startsNoSystem?: break
        case .configurationMissing?, .configurationEmpty?, .volumeMissing?, .noEntries?:
            if let last = state.programs.last { steps += self.steps(behind: last, efi) }
        case .missing?, .nothingToPut?:
            steps.append(
                .init(
                    place: "\(name):/EFI/BOOT/BOOT\(efiMachine.suffix.uppercased()).EFI", what: "loader",
                    isThere: false))
        case .resetsForever?:
            steps.append(.init(place: "\(name):/EFI/*/BOOT*.CSV", what: "list of loaders", isThere: false))
        case .listNamesMissing(let program)?, .nextMissing(let program)?:
            steps.append(.init(place: program, what: "loader", isThere: false))
        }
        if state.problem == nil, let last = state.programs.last { steps += self.steps(behind: last, efi) }
        return BootPath(firmware: .uefi, steps: steps)
    }

    private func steps(behind loader: EFILoader, _ efi: EFISystemPartition) -> [BootPath.Step] {
        switch loader.kind {
        case .grub:
            let trail = efi.trails[loader.names]?.steps ?? []
            let read = trail.map { step in
                BootPath.Step(
                    place: (step.volume.map { volumes[$0].name } ?? "?") + ":" + step.path, what: "grub2",
                    isThere: step.isThere)
            }
            if case .volumeMissing(let name)? = efi.trails[loader.names]?.end {
                return read.dropLast() + [.init(place: name, what: "volume", isThere: false)]
            }
            if case .empty? = efi.trails[loader.names]?.end { return read }
            guard trail.allSatisfy({ $0.isThere == true }) else { return read }
            let menu = menuSteps(trail.last?.file)
            return read
                + (menu.first?.place == trail.last?.file.flatMap(path) ? Array(menu.dropFirst()) : menu)
        case .systemdBoot:
            if efi.hasEntries(for: loader) == false {
                return [
                    .init(
                        place: "\(volumes[efi.volume].name):/loader/entries", what: "loader-entry",
                        isThere: false)
                ]
            }
            let settings = files(SystemdBootConfiguration.self).first.map {
                BootPath.Step(place: $0.file.file.displayPath, what: $0.file.kind.rawValue)
            }
            return [settings].compactMap { $0 } + menuSteps(nil)
        case .refind, .syslinux: return menuSteps(nil)
        // What cannot be told leads to no menu that is known.
        case .shim, .shimFallback, .mokManager, .unifiedKernel, .windows, .other: return []
        }
    }

    private func path(of file: FileKey) -> String? { files.first { $0.file.key == file }?.file.displayPath }

    /// The menu's file and the kernel of the entry that boots by itself, of this menu where it has one.
    private func menuSteps(_ menu: FileKey?) -> [BootPath.Step] {
        guard let entry = defaultEntries.first(where: { $0.file.file.key == menu }) ?? defaultEntries.first
        else { return [] }
        var steps = [BootPath.Step(place: entry.file.file.displayPath, what: entry.file.kind.rawValue)]
        guard let kernel = entry.entry.kernel else { return steps }
        let home = Self.loaderHome(of: entry.file.file.displayPath)
        if let found = inspection.kernelFiles[home + kernel] {
            steps.append(.init(place: found ?? kernel, what: "kernel", isThere: found != nil))
        } else {
            steps.append(.init(place: kernel, what: "kernel", isThere: nil))
        }
        return steps
    }
}

extension BootCode {
    /// For people.
    var words: String {
        switch self {
        case .none: "no boot code"
        case .grub2: "boot code of GRUB 2"
        case .grubLegacy: "boot code of GRUB legacy"
        case .lilo: "boot code of LILO"
        case .other: "boot code"
        }
    }
}
