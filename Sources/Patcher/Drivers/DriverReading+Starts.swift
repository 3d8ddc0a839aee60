internal import GuestTree
internal import Initramfs
internal import KernelModules
internal import Storage

/// What a kernel with its initramfs is behind each controller.
extension DriverReading {
    /// Everything that a judgement takes: the kernel's modules, and what the initramfs holds.
    struct Evidence {
        var release: String?
        var tree: ModuleTree?
        var image: StartFacts.Image
        var held: HeldModules
        var contents: InitramfsContents?
        var report: InitramfsReport?
        var files: [GuestFile] = []
        /// The image is a part of the kernel's file.
        var isUnified = false
        /// Why the image is not read to its end; nil where it is, or is damaged.
        var refusal: String?

        /// The image as it was read.
        var asRead: ReadImage? {
            if let contents, let report { .read(contents, report) } else { nil }
        }
    }

    /// What is known of an entry behind these controllers.
    func startFacts(
        of entry: MenuEntry, behind controllers: [Controller]
    ) throws(StorageError) -> StartFacts {
        let evidence = try evidence(of: entry)
        var facts = try startFacts(evidence, behind: controllers)
        if let report = evidence.report { facts.copies = copies(in: report, evidence.files) }
        facts.damage = try damage(evidence)
        if let damage = facts.damage, damage.stopsBoot {
            // What it holds before that place decides nothing.
            facts.image = .unreadable(damage.why)
            for controller in controllers {
                facts.controllers[controller] = ControllerState(.unreadable(damage.why))
            }
        }
        return facts
    }

    func startFacts(
        _ evidence: Evidence, behind controllers: [Controller]
    ) throws(StorageError) -> StartFacts {
        var facts = StartFacts(release: evidence.release, image: evidence.image)
        var layers = DriverState.present
        for layer in rootLayers {
            // The guest has started with its root: what the table does not know of it decides nothing.
            let found = try state(of: layer, evidence)
            switch found {
            case .missing, .unusable: layers = layers.and(found)
            case .present, .needsArgument, .forbidden, .noSuchDriver, .unreadable, .unknown: break
            }
        }
        for controller in controllers {
            var found = try controllerState(controller, evidence)
            found.state = found.state.and(layers)
            if isKernelToldToRefuse, let tree = evidence.tree {
                for name in found.drivers {
                    guard let module = try tree.module(name) else { continue }
                    for case .module(let other) in try tree.loadOrder(of: module)
                    where !found.modules.contains(other.name) {
                        found.modules.append(other.name)
                    }
                }
            }
            facts.controllers[controller] = found
        }
        if let report = evidence.report { readLists(report, &facts) }
        return facts
    }

    /// What the image loads by name, and what its files of modprobe keep from being loaded.
    private func readLists(_ report: InitramfsReport, _ facts: inout StartFacts) {
        let root = Array("\(PrivateModules.root)/".utf8)
        facts.loadedModules = Set(report.loadedModules.flatMap(\.names))
        facts.loadedModules.formUnion(
            report.modules.filter { $0.path.starts(with: root) }.map(\.name))
        for copy in report.configuration where copy.kind == .modprobe {
            for line in String(decoding: copy.bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
                let words = line.split(whereSeparator: \.isWhitespace)
                guard words.count == 2, words[0] == "blacklist" else { continue }
                facts.blacklistedModules[ModuleName.canonical(String(words[1]))] =
                    "/\(copy.path.displayText) of its initramfs"
            }
        }
    }

    func evidence(of entry: MenuEntry) throws(StorageError) -> Evidence {
        var evidence = Evidence(image: .none, held: HeldModules())
        let kernel: GuestFile? =
            if let path = entry.entry.kernel {
                try LoaderPath.file(path, of: entry.file, in: guest)
            } else {
                nil
            }
        let names = entry.entry.initrds.filter { !$0.hasPrefix("$") }
        var read: ReadImage?
        if names.isEmpty {
            if let kernel, let unified = try unifiedImage(kernel) {
                read = unified.image
                evidence.release = unified.release
                evidence.isUnified = true
            } else if !entry.entry.initrds.isEmpty {
                evidence.image = .notFound
            }
        } else {
            for name in names {
                if let file = try LoaderPath.file(name, of: entry.file, in: guest) {
                    evidence.files.append(file)
                }
            }
            if evidence.files.count == names.count {
                read = try image(evidence.files)
            } else {
                evidence.files = []
                evidence.image = .notFound
            }
        }
        switch read {
        case .read(let contents, let report)?:
            evidence.contents = contents
            evidence.report = report
            evidence.held = HeldModules(report.modules.map(\.name))
            evidence.image = .read(
                generator: report.generator.name, moduleCount: report.modules.count)
        case .unreadable(let why)?: evidence.image = .unreadable(why)
        case .refused(let why)?:
            evidence.image = .unreadable(why)
            evidence.refusal = why
        case nil: break
        }
        try findRelease(entry, kernel, &evidence)
        return evidence
    }

    /// By the kernel's name, by what the kernel says, by the modules of the image: the first whose modules there are.
    private func findRelease(
        _ entry: MenuEntry, _ kernel: GuestFile?, _ evidence: inout Evidence
    ) throws(StorageError) {
        let name = entry.entry.kernel.flatMap { $0.split(separator: "/").last.map(String.init) }
        var releases = [evidence.release, entry.entry.kernelRelease].compactMap { $0 }
        if let known = name.flatMap({ guest.inspection.unnamedReleases[$0] }) { releases.append(known) }
        for release in releases where evidence.tree == nil {
            if let tree = try tree(release), tree.directory != nil {
                evidence.release = release
                evidence.tree = tree
            }
        }
        guard evidence.tree == nil else { return }
        if let kernel,
            let told = KernelImage.release(
                in: try guest.tree.head(of: kernel, byteCount: KernelImage.headLength))
        {
            releases.insert(told, at: 0)
        }
        if let report = evidence.report, report.releases.count == 1 { releases += report.releases }
        for release in releases where evidence.tree == nil {
            if let tree = try tree(release), tree.directory != nil {
                evidence.release = release
                evidence.tree = tree
            }
        }
        guard evidence.tree == nil, let release = releases.first else { return }
        evidence.release = release
        evidence.tree = try tree(release)
    }

    /// What a device is for a kernel with that image.
    func state(of device: TargetDevice, _ evidence: Evidence) throws(StorageError) -> DriverState {
        try judge(device, evidence).state
    }

    /// The same, with the modules that drive it.
    private func judge(
        _ device: TargetDevice, _ evidence: Evidence
    ) throws(StorageError) -> (state: DriverState, drivers: [String]) {
        guard let tree = evidence.tree else {
            if case .unreadable(let why) = evidence.image { return (.unreadable(why), []) }
            return (.unknown, [])
        }
        let need = try tree.need(device, holding: evidence.held, machine: machine)
        let drivers = need.drivers.filter { $0.origin != .builtin && !$0.step.isOptional }.map(\.name)
        return (try state(by: need, evidence, tree), drivers)
    }

    private func state(
        by need: DeviceNeed, _ evidence: Evidence, _ tree: ModuleTree
    ) throws(StorageError) -> DriverState {
        switch (need.answer, evidence.image) {
        case (.present, _), (.builtin, _): return .present
        case (.missing, .notFound), (.unusable, .notFound): return .unknown
        case (_, .unreadable(let why)): return .unreadable(why)
        case (.missing(let modules), _): return .missing(modules.map(\.name))
        case (.unusable(let modules, let error), _): return .unusable(modules.map(\.name), error.message)
        case (.noSuchDriver(let step), _):
            return try holdsModules(tree) ? .noSuchDriver(step.title) : .unknown
        case (.unreadable(let error), .read): return .unreadable(error.message)
        case (.unreadable, _): return .unknown
        }
    }

    /// Whether what is not there can be said not to be there.
    private func holdsModules(_ tree: ModuleTree) throws(StorageError) -> Bool {
        guard tree.directory != nil else { return false }
        do {
            return try tree.dependencyIndex() != nil
        } catch {
            guard error.isAboutImage else { throw error }
            return false
        }
    }

    /// `e_machine` of the guest's processor, where its programs leave no doubt: a 32-bit system may have a 64-bit kernel.
    private var machine: UInt16? {
        switch guest.inspection.architecture {
        case "x86_64": 62
        case "aarch64": 183
        default: nil
        }
    }

    func device(_ controller: Controller) -> TargetDevice? {
        TargetDevice.controller(controller.rawValue, on: target.name)
    }

    /// One controller's state. Emulated disks of Hyper-V and Xen are left to the paravirtual drivers by newer kernels.
    private func controllerState(
        _ controller: Controller, _ evidence: Evidence
    ) throws(StorageError) -> ControllerState {
        guard let device = device(controller) else { return ControllerState(.unknown) }
        let (own, drivers) = try judge(device, evidence)
        guard controller == .ide, let version = BootEntry.version(evidence.release) else {
            return ControllerState(own, drivers: drivers)
        }
        if [.hyperv, .azure].contains(target.hypervisor), !isVersion(version, below: [3, 5]) {
            return try hypervIDE(own, drivers, evidence)
        }
        if target.hypervisor.hasAliasedDiskNames, !isVersion(version, below: [2, 6, 36]),
            let device = self.device(.xenBlkfront)
        {
            // The kernel unplugs them when it has the driver, be it a module that is not loaded.
            switch try state(of: device, evidence) {
            case .noSuchDriver, .unknown: return ControllerState(own, drivers: drivers)
            case .present, .needsArgument, .missing, .forbidden, .unusable, .unreadable:
                return ControllerState(own, argument: EmulatedDisks.xenArgument, drivers: drivers)
            }
        }
        return ControllerState(own, drivers: drivers)
    }

    /// Since 3.5 ata_piix leaves Hyper-V's disks to hv_storvsc, where the kernel has it, unless told to take them.
    private func hypervIDE(
        _ own: DriverState, _ drivers: [String], _ evidence: Evidence
    ) throws(StorageError) -> ControllerState {
        guard let device = TargetDevice.controller(Controller.storvsc.rawValue, on: target.name) else {
            return ControllerState(own, drivers: drivers)
        }
        let (synthetic, others) = try judge(device, evidence)
        let told = ControllerState(own, argument: EmulatedDisks.hypervArgument, drivers: drivers)
        // The one who asks for the emulated disks gets them.
        if request.controller == .ide, own == .present { return told }
        switch synthetic {
        case .present, .needsArgument: return ControllerState(.present, drivers: others)
        case .noSuchDriver: return ControllerState(own, drivers: drivers)
        case .missing, .unusable:
            return own == .present ? told : ControllerState(synthetic, drivers: others)
        case .forbidden, .unknown, .unreadable: return ControllerState(synthetic, drivers: others)
        }
    }

    /// Whether the target's network cards have drivers, which lie on the root.
    func cards(of release: String) throws(StorageError) -> [CardState] {
        guard let tree = try tree(release), try holdsModules(tree) else { return [] }
        var evidence = Evidence(image: .none, held: HeldModules())
        evidence.tree = tree
        var cards: [CardState] = []
        for card in TargetDevice.networkCards(of: target.name) {
            let found = try state(of: card, evidence)
            let state: DriverState = if case .missing = found { .present } else { found }
            cards.append(CardState(name: card.name, state: state))
        }
        return cards
    }
}
