/// What a draft knows of drivers.
extension PlanDraft {
    /// The plan puts the argument into every command line that keeps emulated disks from being left or unplugged.
    var addsEmulationArgument: Bool {
        guard request.wants(.kernelOptions) else { return false }
        if case .kernelArgument = drivers.way { return true }
        return request.controller == .ide
    }

    /// What is known of an entry's drivers, once the plan is carried out.
    func drivers(of item: MenuEntry) -> EntryVerdict.Drivers {
        if let overlay = drivers.overlay(for: item), !overlay.modules.isEmpty, request.wants(.drivers) {
            return .added(overlay.modules)
        }
        let facts = drivers.facts(of: item)
        switch drivers.state(of: item, adding: addsEmulationArgument) {
        // A rule of its own tells what is hidden.
        case .present, .hidden: return .present
        case .needsArgument(let argument): return .needsArgument(argument)
        case .missing(let names):
            let why: NotAdded =
                facts.image == .none
                ? .noInitramfs : drivers.failures[KernelStart(item)] ?? .unwanted
            return .missing(names, why)
        case .forbidden(let name, let by): return .forbidden(name, by: by)
        case .unusable(let names, let why): return .missing(names, .impossible(why))
        case .noSuchDriver(let what): return .noSuchDriver(what, release: facts.release)
        case .unreadable(let why): return .unreadable(why)
        case .unknown: return .notChecked
        }
    }
}
