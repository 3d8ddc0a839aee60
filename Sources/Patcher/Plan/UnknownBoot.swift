internal import Storage

/// Why nobody knows whether a guest boots.
package enum UnknownBoot: Sendable, Equatable {
    /// No menu that is known was found.
    case noMenu
    /// The menu that the loader reads lies on a volume that cannot be read.
    case menuNotRead(volume: String)
    /// What boots by itself loads no kernel of this guest: another system, or a menu that was not found.
    case startsNoKernel(title: String)
    /// Which of several kernels starts is not known here, and this one cannot.
    case oneCannot(title: String, path: String, VerdictReason)
    /// The menu has no entry of the number or the name that it says.
    case noDefault

    /// For people.
    package var sentence: Sentence {
        switch self {
        case .noMenu: "no boot menu that is known here was found in the guest"
        case .menuNotRead(let volume):
            "the boot menu lies on \(volume), which cannot be read here; nothing that can be read names devices that change"
        case .startsNoKernel(let title): "the default entry “\(title)” starts no kernel of this guest"
        case .oneCannot(let title, let path, let reason):
            "which of the entries that may boot by themselves does is not known, and “\(title)” of \(path) cannot: \(reason.sentence)"
        case .noDefault: "which entry boots by itself is not known"
        }
    }
}

extension PlanDraft {
    /// Why nobody knows whether the guest boots, by the entries that are judged.
    func unknownBoot(_ verdicts: [EntryVerdict]) -> UnknownBoot? {
        guard guest.isMenuRead else {
            guard guest.readsMenuOfUEFIAlone, let partition = guest.efiSystemPartition else {
                return .noMenu
            }
            return .menuNotRead(volume: guest.volumes[partition].name)
        }
        let defaults = verdicts.filter(\.isDefault)
        let tools = Set(guest.bootEntries.filter(\.entry.isTool).map(\.key))
        if let tool = defaults.first, defaults.allSatisfy({ tools.contains($0.entry) }) {
            return .startsNoKernel(title: tool.title)
        }
        guard defaults.isEmpty else {
            // Menus of which nobody knows which is read, branches of which nobody knows which is taken.
            for verdict in DefaultEntryRule.deciding(self, verdicts) {
                guard case .cannot(let reason) = verdict.outcome else { continue }
                return .oneCannot(title: verdict.title, path: verdict.path, reason)
            }
            return nil
        }
        if let other = guest.defaultEntries.first { return .startsNoKernel(title: other.entry.title) }
        // Where each of them starts, it does not matter which one does.
        let isAnyGood = verdicts.allSatisfy { verdict in
            if case .cannot = verdict.outcome { false } else { true }
        }
        return guest.volumeOfUnreadLoaderConfiguration != nil && isAnyGood ? nil : .noDefault
    }
}
