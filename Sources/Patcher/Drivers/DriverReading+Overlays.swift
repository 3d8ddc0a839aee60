internal import GuestTree
internal import Initramfs
internal import KernelModules
internal import Storage

/// What is added to initramfs images.
extension DriverReading {
    /// Makes an overlay for every entry whose initramfs lacks modules that its kernel has, unless another way was chosen.
    /// `entries`: all by default.
    func planOverlays(
        _ facts: inout DriverFacts, _ deciding: [MenuEntry], of entries: [MenuEntry]? = nil
    ) throws(StorageError) {
        let draft = PlanDraft(guest, request, facts)
        // The plan after this one finds the general image as the default, and is to find nothing more to do.
        let isGeneral =
            facts.way == .fallback
            || !deciding.isEmpty && deciding.allSatisfy { draft.hasGeneralInitramfs($0.entry) }
        for entry in entries ?? guest.bootEntries where entry.entry.kernel != nil {
            let start = KernelStart(entry)
            guard draft.startProblem(entry) == nil, facts.known(start) != nil,
                isWorthAdding(to: entry, facts),
                !facts.overlays.contains(where: { $0.starts.contains(start) })
            else { continue }
            let isDeciding = deciding.contains { $0.key == entry.key }
            let isWanted =
                facts.source == .overlay || facts.source == .auto && (!isGeneral || facts.way == .overlay)
            guard isWanted else {
                facts.failures[start] = facts.source == .auto ? .besideGeneral : .unwanted
                continue
            }
            do {
                try planOverlay(for: entry, &facts, isDeciding ? candidates : [facts.controller])
            } catch {
                guard error.isAboutImage else { throw error }
                facts.failures[start] = .impossible(error.message)
            }
        }
        let failed = deciding.contains { facts.failures[KernelStart($0)] != nil }
        if facts.way == .overlay, failed { facts.way = .none }
    }

    /// Modules are missing, or a copy of configuration that can be put right hides the root.
    private func isWorthAdding(to entry: MenuEntry, _ facts: DriverFacts) -> Bool {
        switch facts.state(of: entry) {
        case .missing: true
        case .present, .needsArgument: !correctedCopies(of: entry, facts).isEmpty
        default: false
        }
    }

    private func planOverlay(
        for entry: MenuEntry, _ facts: inout DriverFacts, _ controllers: [Controller]
    ) throws(StorageError) {
        let start = KernelStart(entry)
        let evidence = try evidence(of: entry)
        let ownFiles = evidence.files.filter { !EarlierOverlay.isNamed($0) }
        guard let image = ownFiles.last ?? evidence.files.last, let report = evidence.report,
            let tree = evidence.tree,
            let release = evidence.release
        else {
            facts.failures[start] =
                evidence.isUnified ? .impossible("it is a part of a unified kernel image") : .noInitramfs
            return
        }
        let earlier = try earlierOverlay(evidence.files)
        let isSingle = earlier?.isWhole == true || takesOneFile(entry, facts.controller)
        // Entries of one kernel and one image share the overlay.
        let key = OverlayKey(files: evidence.files.map(\.key), release: release, isSingle: isSingle)
        if let index = facts.overlays.firstIndex(where: { $0.key == key }) {
            facts.overlays[index].starts.append(start)
            return
        }
        guard let directory = try guest.tree.find(image.path.parent) else {
            facts.failures[start] = .impossible("its directory was not found")
            return
        }
        // Without what was added before: that is added again, with what is missing now.
        let bareImage = if let earlier { try ReadImage(earlier.image, opening: nil) } else { evidence.asRead }
        guard case .read(let contents, let bare)? = bareImage else {
            facts.failures[start] = .impossible("the image beside the drivers cannot be read")
            return
        }
        let replaced = earlier.flatMap { isReplaceable($0.old, like: entry) ? $0.old : nil }
        if let obstacle = obstacle(entry, directory, replaced, facts) {
            facts.failures[start] = .impossible(obstacle)
            return
        }
        let (modules, drivers) = try modulesOnTheWay(facts.controller, evidence)
        var corrections = correctedCopies(of: entry, facts)
        corrections += (earlier?.corrections ?? []).filter { old in
            !corrections.contains { $0.path == old.path }
        }
        let overlay = try DriverOverlay.make(
            OverlayRequest(
                release: release, contents: contents, report: bare,
                modules: try addedBefore(earlier, tree) + modules, corrections: corrections, tree: tree,
                isSingleFile: isSingle))
        let source =
            earlier?.image ?? ByteSource.loaded(evidence.files.map { ByteSource($0, in: guest.tree) })
        let bytes = try self.contents(overlay, isSingle, source)
        // What is said of it is what it is read to hold.
        let result = try InitramfsReport.read(InitramfsImage(ByteSource(try overlay.archive.archive())))
            .report
        var later = evidence
        for module in result.modules { later.held.insert(module.name) }
        var after = try startFacts(later, behind: controllers)
        after.loading.inserted.formUnion(result.modules.map(\.name))
        let name =
            if let replaced { replaced.file.path.lastName } else {
                try freeName(release, in: directory, facts)
            }
        let planned = PlannedOverlay(
            key: key, starts: [start], overlay: overlay, release: release, modules: modules.map(\.name),
            corrections: corrections.map(\.path), drivers: modules.isEmpty ? [] : drivers, image: image,
            directory: directory,
            name: name,
            contents: bytes, isWhole: isSingle, generator: report.generator, replaces: replaced,
            after: after)
        guard let obstacle = roomObstacle(for: planned, facts) else {
            facts.overlays.append(planned)
            return
        }
        facts.failures[start] = obstacle
    }

    /// Whether the file of an earlier overlay can be written anew: every entry that names it takes the same files.
    private func isReplaceable(_ earlier: ReplacedFile, like entry: MenuEntry) -> Bool {
        let name = earlier.file.path.lastName
        return guest.bootEntries.allSatisfy { other in
            other.entry.initrds.allSatisfy { $0.split(separator: "/").last.map(String.init) != name }
                || other.entry.initrds == entry.entry.initrds
        }
    }

    /// Modules that an earlier overlay has: a further one takes the place of what loads them.
    private func addedBefore(
        _ earlier: EarlierOverlay?, _ tree: ModuleTree
    ) throws(StorageError) -> [KernelModule] {
        var modules: [KernelModule] = []
        for name in earlier?.modules ?? [] {
            if let module = try tree.module(name), !modules.contains(module) { modules.append(module) }
        }
        return modules
    }

    /// Why the new file or the menu cannot be written: the one is of no use without the other.
    private func obstacle(
        _ entry: MenuEntry, _ directory: GuestFile, _ replaced: ReplacedFile?, _ facts: DriverFacts
    ) -> String? {
        let draft = PlanDraft(guest, request, facts)
        if let replaced { return draft.obstacle(to: .contents, on: replaced.file.volume)?.sentence.plain }
        let found =
            draft.obstacle(to: .names, on: directory.volume)
            ?? draft.obstacle(to: .contents, on: entry.file.file.volume)
        if let found { return found.sentence.plain }
        return GeneratedFile(path: entry.file.file.displayPath).map { "the menu is made by \($0.system)" }
    }

    /// What the controller's drivers and the root's layers lack, each before what needs it; and all of those drivers, also
    /// the ones that the image has: the next one is made on a machine that may not show the need.
    private func modulesOnTheWay(
        _ controller: Controller, _ evidence: Evidence
    ) throws(StorageError) -> (missing: [KernelModule], drivers: [String]) {
        var modules: [KernelModule] = []
        var drivers: [String] = []
        guard let tree = evidence.tree else { return ([], []) }
        var devices = [device(controller)].compactMap { $0 }
        // Hyper-V's disks are the synthetic driver's, where IDE's was not asked for. Kernels before 3.5 that have one may leave
        // them to it or not: they get both.
        if controller == .ide, [.hyperv, .azure].contains(target.hypervisor),
            let synthetic = device(.storvsc), case .missing = try state(of: synthetic, evidence)
        {
            devices = try leavesHyperVDisks(evidence) ? [synthetic] : devices + [synthetic]
        }
        for device in devices + rootLayers {
            let need = try tree.need(device, holding: evidence.held)
            for driver in need.drivers where driver.origin != .builtin && !drivers.contains(driver.name) {
                drivers.append(driver.name)
            }
            guard case .missing(let missing) = need.answer else { continue }
            for module in missing where !modules.contains(module) { modules.append(module) }
        }
        return (modules, drivers)
    }

    /// The loader is told of one file, or Xen's pygrub reads the menu, which takes one.
    private func takesOneFile(_ entry: MenuEntry, _ controller: Controller) -> Bool {
        if let menu = entry.file.syntax.bootMenu, !type(of: menu).takesSeveralInitrds { return true }
        return target.hypervisor == .xenserver && controller == .xenBlkfront && guest.firmware.isMissing
    }

    /// The new file's bytes.
    private func contents(
        _ overlay: DriverOverlay, _ isSingle: Bool, _ source: ByteSource?
    ) throws(StorageError) -> [UInt8] {
        let added = try overlay.archive.bytes(for: overlay.placement)
        guard isSingle else { return try overlay.archive.archive() }
        guard let source, source.byteCount <= UInt64(Self.wholeLimit) else {
            throw StorageError(
                .refused, InitramfsCode.tooLong,
                "the loader takes one file, and the image is longer than any that is copied")
        }
        let image = try source.bytes(at: 0, count: Int(source.byteCount))
        return overlay.placement == .before ? added + image : image + added
    }

    /// A name that no tool takes for a kernel's image, and that is free.
    private func freeName(
        _ release: String, in directory: GuestFile, _ facts: DriverFacts
    ) throws(StorageError) -> String {
        var number = 1
        while true {
            let name = "\(EarlierOverlay.prefix)\(release)\(number == 1 ? "" : "-\(number)").img"
            let isPlanned = facts.overlays.contains { $0.name == name && $0.directory.key == directory.key }
            if !isPlanned, try !guest.tree.exists(directory.path.appending(name.utf8)) { return name }
            number += 1
        }
    }

}

/// What decides whether two entries take the same overlay.
struct OverlayKey: Hashable, Sendable {
    var files: [FileKey]
    var release: String
    var isSingle: Bool
}

extension GuestPath {
    /// The directory that it lies in, of a path without links.
    fileprivate var parent: GuestPath { GuestPath(names: components.dropLast()) }
    /// Its last name.
    fileprivate var lastName: String { String(hostBytes: components.last ?? []) }
}
