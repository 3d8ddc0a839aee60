internal import Storage

/// Makes the plan for one guest. Reads nothing: everything it needs is in the `Guest`.
package struct Planner {
    let guest: Guest
    let request: PlanRequest
    let controller: Controller
    var drafts: [FileKey: FileDraft] = [:]
    var extraActions: [Action] = []
    var advice: [Advice] = []
    var references: [Reference] = []
    /// Where a default was moved to: the loader's file, and the file and index of the entry.
    var newDefaults: [FileKey: (file: FileKey, index: Int)] = [:]

    /// Begins a plan.
    package init(guest: Guest, request: PlanRequest) {
        self.guest = guest
        self.request = request
        controller = request.controller ?? request.target.defaultController
        for file in guest.files {
            drafts[file.file.key] = FileDraft(file: file.file, original: file.bytes)
        }
    }

    /// Makes it.
    package static func plan(_ guest: Guest, _ request: PlanRequest) -> Plan {
        var planner = Planner(guest: guest, request: request)
        return planner.plan()
    }

    mutating func plan() -> Plan {
        repairNames()
        repairDefaultEntry()
        returnToXenKernel()
        preferFallbackInitramfs()
        repairDefaultKernelPackage()
        repairConsoles()
        repairKernelOptions()
        repairDeadRows()
        repairLVM()
        repairDriverLists()
        disableTools()
        remark()
        padEnvironmentBlocks()
        let verdicts = verdicts()
        let refusal = refusal(verdicts)
        return Plan(
            target: request.target, controller: controller, source: guest.resolver.presentation,
            actions: refusal == nil ? actions() : [], references: references, advice: advice,
            verdicts: verdicts, refusal: refusal)
    }

    private func actions() -> [Action] {
        let edits = guest.files.compactMap { file -> Action? in
            guard let draft = drafts[file.file.key], !draft.edits.isEmpty else { return nil }
            var repairs: [Repair] = []
            for edit in draft.edits where !repairs.contains(edit.repair) { repairs.append(edit.repair) }
            let edit = FileEdit(
                file: draft.file, expected: draft.original, contents: draft.result, edits: draft.edits)
            return Action(kind: .edit(edit), reason: draft.edits[0].reason, repairs: repairs)
        }
        return edits + extraActions
    }

    /// Records an edit when its repair is wanted.
    @discardableResult
    mutating func edit(
        _ file: ScannedFile, _ range: Range<Int>, _ new: String, _ repair: Repair, _ reason: String
    )
        -> Bool
    {
        guard request.wants(repair) else { return false }
        return drafts[file.file.key]?.replace(range, with: new, repair, reason) ?? false
    }

    /// Records advice once.
    mutating func advise(_ repair: Repair, _ file: ScannedFile?, _ message: String, isMinor: Bool = false) {
        let item = Advice(repair: repair, path: file?.file.displayPath, message: message, isMinor: isMinor)
        if !advice.contains(item) { advice.append(item) }
    }

    /// The kernels that the guest's loaders offer.
    var entries: [(file: ScannedFile, entry: BootEntry)] { guest.bootEntries }

    /// Every Linux kernel (not a memory test) is booted with an initramfs.
    var everyEntryHasInitrd: Bool {
        entries.allSatisfy { !$0.entry.commandLine.has("root") || !$0.entry.initrds.isEmpty }
    }

    /// The block must keep its size; edits that do not fit are given up.
    private mutating func padEnvironmentBlocks() {
        for file in guest.files(.grubEnvironment) {
            guard case .grubEnvironment(let block) = file.syntax, var draft = drafts[file.file.key],
                !draft.edits.isEmpty
            else { continue }
            if block.repad(&draft) {
                drafts[file.file.key] = draft
            } else {
                drafts[file.file.key] = FileDraft(file: file.file, original: file.bytes)
                advise(.names, file, "the environment block is full: its device names are left as they are")
            }
        }
    }

    /// The place of a disk in the order of the target's names.
    func position(_ disk: Int) -> Int {
        // RHEL 6's Xen driver counts from xvde.
        let isRHEL6 = guest.release?.family == .redHat && guest.release?.major == 6
        return isRHEL6 && controller == .xenBlkfront ? disk + 4 : disk
    }

    /// The name of a volume on the target.
    func targetName(_ volume: Int, _ controller: Controller, kernel: [Int]? = nil) -> String? {
        switch guest.volumes[volume].location {
        case .partition(let disk, let number):
            controller.partitionName(position(disk), number, oldIDEDriver: usesOldIDEDriver(kernel))
        case .wholeDisk(let disk):
            controller.diskName(position(disk), oldIDEDriver: usesOldIDEDriver(kernel))
        case .logicalVolume, .array: nil
        }
    }

    /// Whether an IDE controller's disks are hda there.
    func usesOldIDEDriver(_ kernel: [Int]? = nil) -> Bool {
        let version = kernel ?? entries.compactMap { $0.entry.kernelVersion }.first
        return guest.release?.usesOldIDEDriver(kernel: version)
            ?? version.map { isVersion($0, below: [2, 6, 20]) } ?? false
    }
}
