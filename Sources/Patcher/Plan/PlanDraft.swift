internal import GuestTree
internal import Storage

/// A plan while it is being made. Reads nothing: everything that steps need is in the `LinuxSystem` and the `DriverFacts`.
package struct PlanDraft: Sendable {
    /// The guest, as it was found.
    package let guest: LinuxSystem
    /// What is asked for.
    package let request: PlanRequest
    /// What was read of kernels and initramfs images.
    package let drivers: DriverFacts
    /// The controller that the boot disk is expected behind.
    package var controller: Controller { drivers.controller }

    var files: [FileKey: FileDraft]
    /// What is to be done besides edits of files.
    var otherActions: [Action] = []
    /// What a user should know or do by hand.
    private(set) var advice: [Advice] = []
    private var saidAdvice: Set<Advice> = []
    /// Why names that must change cannot be written; nil when all can.
    var unwritableNames: VerdictReason?
    /// What was said of a network card and cannot be done; nil when all can.
    var unmetStatement: VerdictReason?
    /// Defaults that were moved: the menu's file, and the entry that is the default then.
    var movedDefaults: [FileKey: EntryKey] = [:]

    /// How much longer names may make the arguments of each entry of a file, by the entry's index, where that was asked.
    var argumentGrowth: [FileKey: [Int: Int]] = [:]

    init(_ guest: LinuxSystem, _ request: PlanRequest, _ drivers: DriverFacts) {
        self.guest = guest
        self.request = request
        self.drivers = drivers
        files = Dictionary(
            guest.files.map { ($0.file.key, FileDraft(file: $0.file, original: $0.bytes)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The target.
    package var target: Target { request.target }
    /// The target's hypervisor.
    package var hypervisor: Hypervisor { request.target.hypervisor }
    /// Something is to be done.
    var isEdited: Bool { files.values.contains { !$0.edits.isEmpty } || !otherActions.isEmpty }
}

extension PlanDraft {
    /// Records an edit when its repair is wanted; false when it is not, or bytes of it are changed already.
    @discardableResult
    package mutating func edit(
        _ file: ScannedFile, _ range: Range<Int>, _ new: String, _ repair: Repair, _ reason: String
    ) -> Bool {
        guard request.wants(repair) else { return false }
        return files[file.file.key]?.replace(range, with: new, repair, reason) ?? false
    }

    /// Records advice once.
    package mutating func advise(
        _ repair: Repair, _ file: ScannedFile?, _ message: Sentence, isMinor: Bool = false
    ) {
        advise(Advice(repair: repair, path: file?.file.displayPath, message: message, isMinor: isMinor))
    }

    /// Records advice once.
    package mutating func advise(_ item: Advice) {
        if saidAdvice.insert(item).inserted { advice.append(item) }
    }

    /// Records another change than an edit, once.
    package mutating func add(_ kind: Action.Kind, _ repair: Repair, _ reason: String) {
        guard !otherActions.contains(where: { $0.kind == kind }) else { return }
        otherActions.append(Action(kind: kind, reason: reason, repairs: [repair]))
    }

    /// Puts "#" before a line.
    package mutating func comment(
        _ file: ScannedFile, lineAt start: Int, _ repair: Repair, _ reason: String
    ) {
        edit(file, start..<start, "#", repair, reason)
    }

    /// Brings files into the form that they must keep; edits that do not fit are given up.
    mutating func settle() {
        for file in guest.files {
            guard var draft = files[file.file.key], !draft.edits.isEmpty else { continue }
            if let problem = file.syntax.settle(&draft) {
                draft = FileDraft(file: file.file, original: file.bytes)
                advise(.names, file, problem)
            }
            files[file.file.key] = draft
        }
    }

    /// What is to be written, in order: edits in the order of the files, then the rest.
    func actions() -> [Action] {
        let edits = guest.files.compactMap { file -> Action? in
            guard let draft = files[file.file.key], let first = draft.edits.first else { return nil }
            var repairs: [Repair] = []
            for edit in draft.edits where !repairs.contains(edit.repair) { repairs.append(edit.repair) }
            let edit = FileEdit(
                file: draft.file, expected: draft.original, contents: draft.result, edits: draft.edits,
                canBeShared: type(of: file.syntax).canBeShared)
            return Action(kind: .edit(edit), reason: first.reason, repairs: repairs)
        }
        return edits + otherActions
    }
}
