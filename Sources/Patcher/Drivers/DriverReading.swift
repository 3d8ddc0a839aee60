internal import GuestTree
internal import Initramfs
internal import KernelModules
internal import Storage

/// Reads what a plan has to know of drivers: initramfs images and kernels' modules, each once. Only what says nothing of the
/// guest is thrown (input and output, a request to stop); what cannot be read becomes a state that says so.
final class DriverReading {
    let guest: LinuxSystem
    let request: PlanRequest
    private let store: GuestModuleStore
    private var trees: [String: ModuleTree?] = [:]
    private var images: [[FileKey]: ReadImage] = [:]
    /// No menu has more kernels that matter; the rest stays unknown.
    private static let startLimit = 48

    /// Reads everything that a plan for `request` needs.
    static func facts(of guest: LinuxSystem, for request: PlanRequest) throws(StorageError) -> DriverFacts {
        let reading = DriverReading(guest, request)
        return try reading.facts()
    }

    private init(_ guest: LinuxSystem, _ request: PlanRequest) {
        self.guest = guest
        self.request = request
        store = GuestModuleStore(guest.tree)
    }

    var target: Target { request.target }
    /// What modules depend on is asked for.
    private(set) lazy var isKernelToldToRefuse = ModuleBlacklist.isUsed(in: guest)

    private func facts() throws(StorageError) -> DriverFacts {
        var facts = DriverFacts(controller: request.controller ?? target.defaultController)
        facts.isControllerChosen = request.controller != nil
        facts.source = request.wants(.drivers) ? request.drivers : .never
        let deciding = decidingEntries()
        for entry in deciding {
            facts.set(try startFacts(of: entry, behind: candidates), for: KernelStart(entry))
        }
        try choose(&facts, deciding)
        var count = deciding.count
        for entry in guest.bootEntries where entry.entry.kernel != nil {
            guard facts.known(KernelStart(entry)) == nil, count < Self.startLimit else { continue }
            count += 1
            facts.set(try startFacts(of: entry, behind: [facts.controller]), for: KernelStart(entry))
        }
        try planOverlays(&facts, deciding)
        try findSettings(&facts)
        if let first = deciding.first, let release = facts.facts(of: first).release {
            facts.cards = try cards(of: release)
            facts.cardsRelease = release
        }
        return facts
    }

    /// Every controller that is judged for the default entries.
    var candidates: [Controller] {
        let chosen = request.controller.map { [$0] } ?? []
        return chosen + target.controllers.filter { !chosen.contains($0) }
    }

    /// The entries that will boot by themselves: the defaults, and in place of one that cannot start there the one that
    /// would take its place.
    private func decidingEntries() -> [MenuEntry] {
        let draft = PlanDraft(
            guest, request, DriverFacts(controller: request.controller ?? target.defaultController))
        let starting = guest.defaultEntries.filter {
            $0.entry.kernel != nil && draft.startProblem($0) == nil
        }
        if !starting.isEmpty { return starting }
        return guest.defaultEntries.compactMap { draft.startable(beside: $0).best }
    }

    /// The modules of a release; nil for what no directory can be called.
    func tree(_ release: String) throws(StorageError) -> ModuleTree? {
        if let known = trees[release] { return known }
        var tree: ModuleTree?
        do {
            tree = try ModuleTree(release: release, in: store)
        } catch {
            guard error.isAboutImage else { throw error }
        }
        trees[release] = .some(tree)
        return tree
    }

    /// The image that these files come to; read once.
    func image(_ files: [GuestFile]) throws(StorageError) -> ReadImage {
        let keys = files.map(\.key)
        if let known = images[keys] { return known }
        let sources = files.map { ByteSource($0, in: guest.tree) }
        let image = try ReadImage(ByteSource.loaded(sources), opening: guest.frame.openOldRoot)
        images[keys] = image
        return image
    }

    /// The image that a unified kernel carries; nil for any other kernel.
    func unifiedImage(
        _ kernel: GuestFile
    ) throws(StorageError) -> (image: ReadImage, release: String?)? {
        do {
            guard let unified = try UnifiedKernelImage(ByteSource(kernel, in: guest.tree)) else { return nil }
            let image: ReadImage
            if let known = images[[kernel.key]] {
                image = known
            } else {
                image = try ReadImage(try unified.initramfs(), opening: nil)
                images[[kernel.key]] = image
            }
            return (image, try unified.release().map { String(hostBytes: $0) })
        } catch {
            guard error.isAboutImage else { throw error }
            return (.unreadable(error.message), nil)
        }
    }
}

/// What came of reading an image.
enum ReadImage {
    /// What it holds.
    case read(InitramfsContents, InitramfsReport)
    /// Why it cannot be read.
    case unreadable(String)
    /// Why it is not: it asks for more than any real one.
    case refused(String)

    /// An initramfs of the bytes of `source`; one that is a file system is opened by `open`.
    init(_ source: ByteSource?, opening open: OldRootOpener?) throws(StorageError) {
        guard let source else {
            self = .unreadable("there is no initramfs in it")
            return
        }
        do {
            let (contents, report) = try InitramfsReport.read(
                InitramfsImage(source), alsoWhere: LoadHooks.wants, opening: open)
            // One without a single file was not opened.
            if let kind = contents.fileSystem, contents.entries.isEmpty {
                self = .unreadable("it is a file system (\(kind.rawValue)), which is not looked into")
            } else {
                self = .read(contents, report)
            }
        } catch {
            // More entries than are read: Linux takes them, and nothing is known of them here.
            let isBound = error.isOfBounds
            guard error.isAboutImage || isBound else { throw error }
            self = error.kind == .refused && !isBound ? .refused(error.message) : .unreadable(error.message)
        }
    }
}
