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
        /// The image's bytes; nil where it has no archive.
        var source: (() throws(StorageError) -> ByteSource?)?
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
        if let report = evidence.report {
            // A unified kernel is its own image.
            let image = evidence.files.last?.displayPath ?? entry.entry.kernel ?? entry.entry.title
            facts.copies = copies(in: report, of: image)
            facts.filters = filters(in: report, of: image)
            facts.startsWithSystemd = report.hasSystemd
        }
        facts.damage = try damage(evidence)
        if let damage = facts.damage, damage.stopsBoot || damage.fate == .unknown {
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
        if let report = evidence.report { facts.loading = ModuleLoading(report) }
        if let tree = evidence.tree { try facts.loading.addDependencies(by: tree) }
        let isWhole = isKernelToldToRefuse || !facts.loading.disabled.isEmpty
        var layers = Judgement(.present)
        for layer in rootLayers {
            // The guest has started with its root: what the table does not know of it decides nothing.
            let found = try judge(layer, evidence)
            switch found.state {
            case .missing, .unusable: layers.state = layers.state.and(found.state)
            case .present, .needsArgument, .forbidden, .hidden, .noSuchDriver, .unreadable, .unknown: break
            }
            layers.drivers += found.drivers
            layers.builtins += found.builtins
        }
        for controller in controllers {
            var found = try controllerState(controller, evidence)
            found.state = found.state.and(layers.state)
            found.builtins += layers.builtins
            if let tree = evidence.tree {
                if isWhole { try add(found.drivers + layers.drivers, to: &found.modules, by: tree) }
                if case .missing(let names) = found.state {
                    var added: [String] = []
                    try add(names, to: &added, by: tree)
                    found.added = Set(added)
                }
            }
            facts.controllers[controller] = found
        }
        return facts
    }

    /// Modules, with all that they load.
    private func add(
        _ names: [String], to modules: inout [String], by tree: ModuleTree
    ) throws(StorageError) {
        for name in names {
            do {
                guard let module = try tree.module(name) else { continue }
                for case .module(let other) in try tree.loadOrder(of: module)
                where !modules.contains(other.name) {
                    modules.append(other.name)
                }
            } catch {
                guard error.isAboutImage else { throw error }
            }
            if !modules.contains(name) { modules.append(name) }
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
                evidence.source = { [guest] () throws(StorageError) in
                    try UnifiedKernelImage(ByteSource(kernel, in: guest.tree))?.initramfs()
                }
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
                evidence.source = { [guest, files = evidence.files] () throws(StorageError) in
                    ByteSource.loaded(files.map { ByteSource($0, in: guest.tree) })
                }
            } else {
                evidence.files = []
                evidence.image = .notFound
            }
        }
        switch read {
        case .read(let contents, let report)?:
            evidence.contents = contents
            evidence.report = report
            evidence.image = .read(
                generator: report.generator.name, moduleCount: report.modules.count)
            if contents.fileSystem != nil { evidence.source = nil }
        case .unreadable(let why)?: evidence.image = .unreadable(why)
        case .refused(let why)?:
            evidence.image = .unreadable(why)
            evidence.refusal = why
        case nil: break
        }
        try findRelease(entry, kernel, &evidence)
        evidence.held = try heldModules(evidence)
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
        if evidence.tree != nil {
            // A kernel under another one's name: the image was made for what it is.
            guard let report = evidence.report, let release = evidence.release, !report.releases.isEmpty,
                !report.releases.contains(release), let kernel, let told = try releaseTold(by: kernel),
                told != release, let tree = try tree(told), tree.directory != nil
            else { return }
            (evidence.release, evidence.tree) = (told, tree)
            return
        }
        if let kernel, let told = try releaseTold(by: kernel) { releases.insert(told, at: 0) }
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

    /// What the kernel itself says; nil where it cannot be read.
    private func releaseTold(by kernel: GuestFile) throws(StorageError) -> String? {
        do {
            return KernelImage.release(
                in: try guest.tree.head(of: kernel, byteCount: KernelImage.headLength))
        } catch {
            guard error.isAboutImage else { throw error }
            return nil
        }
    }

    /// What a device is for a kernel with that image.
    func state(of device: TargetDevice, _ evidence: Evidence) throws(StorageError) -> DriverState {
        try judge(device, evidence).state
    }

    /// What was found of a device.
    struct Judgement {
        var state: DriverState
        /// The modules that drive it.
        var drivers: [String] = []
        /// What drives it and is built in.
        var builtins: [String] = []

        init(_ state: DriverState) { self.state = state }
    }

    /// The same, with the modules that drive it.
    func judge(_ device: TargetDevice, _ evidence: Evidence) throws(StorageError) -> Judgement {
        guard let tree = evidence.tree else {
            if case .unreadable(let why) = evidence.image { return Judgement(.unreadable(why)) }
            return Judgement(.unknown)
        }
        let need = try tree.need(device, holding: evidence.held, machine: machine)
        var found = Judgement(try state(by: need, evidence, tree))
        for driver in need.drivers {
            if driver.origin == .builtin {
                found.builtins.append(driver.name)
            } else if !driver.step.isOptional {
                found.drivers.append(driver.name)
            }
        }
        return found
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
    var machine: UInt16? {
        switch guest.inspection.architecture {
        case "x86_64": 62
        case "aarch64": 183
        default: nil
        }
    }

    func device(_ controller: Controller) -> TargetDevice? {
        TargetDevice.controller(controller.rawValue, on: target.name)
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
