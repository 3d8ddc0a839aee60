internal import Storage

/// Why nobody knows whether a guest boots.
package enum UnknownBoot: Sendable, Equatable {
    /// No menu that is known was found.
    case noMenu
    /// Nothing is put where a machine without boot entries looks: it starts by an entry of its firmware alone.
    case needsBootEntry(program: String, loaders: [String])
    /// What UEFI starts lies on a partition that cannot be read.
    case loadersNotRead
    /// What UEFI starts is the loader of another system.
    case startsAnotherSystem(program: String)
    /// What UEFI starts is a program that cannot be told.
    case startsUnknownProgram(program: String)
    /// What UEFI starts is a kernel with its arguments in one program.
    case startsUnifiedKernel(program: String, names: [String])
    /// What boots by itself loads no kernel of this guest: another system, or a menu that was not found.
    case startsNoKernel(title: String, VerdictReason? = nil)
    /// Which of several kernels starts is not known here, and this one cannot.
    case oneCannot(title: String, path: String, VerdictReason)
    /// Whether an entry that boots by itself can is not known.
    case oneMayNot(title: String, path: String, VerdictReason)
    /// The menu has no entry of the number or the name that it says.
    case noDefault

    /// For people.
    package var sentence: Sentence {
        switch self {
        case .noMenu: "no boot menu that is known here was found in the guest"
        case .needsBootEntry(let program, let loaders):
            "\(program) starts nothing and is left as it is, so that it boots only where the firmware keeps or gets a boot entry\(loaders.isEmpty ? "" : " for \(loaders.joined(separator: ", "))")"
        case .loadersNotRead:
            "what UEFI starts lies on an EFI system partition that is not among the given disks or cannot be read here"
        case .startsAnotherSystem(let program):
            "\(program) is Windows' loader: it starts this guest only by a boot entry of its firmware"
        case .startsUnknownProgram(let program):
            "\(program) is a program that is not known here, and what it starts cannot be told: a loader of the distribution's in its place can (grub-install, bootctl in the running guest)"
        case .startsUnifiedKernel(let program, let names):
            "\(program) is a unified kernel, whose arguments are built in and cannot be edited here\(names.isEmpty ? "" : ": they say \(names.joined(separator: " ")), which the new machine may call otherwise")"
        case .startsNoKernel(let title, nil):
            "the default entry “\(title)” starts no kernel of this guest"
        case .startsNoKernel(let title, let reason?):
            "the default entry “\(title)” starts no kernel of this guest: \(reason.sentence)"
        case .oneCannot(let title, let path, let reason):
            "which of the entries that may boot by themselves does is not known, and “\(title)” of \(path) cannot: \(reason.sentence)"
        case .oneMayNot(let title, let path, let reason): "“\(title)” of \(path): \(reason.sentence)"
        case .noDefault: "which entry boots by itself is not known"
        }
    }
}

extension PlanDraft {
    /// What the firmware starts is not known to start this guest.
    private var unknownLoader: UnknownBoot? {
        guard startsByUEFI else { return nil }
        if let (program, loaders) = neededBootEntry {
            return .needsBootEntry(program: program, loaders: loaders)
        }
        switch guest.firmware.uefi {
        case .unread: return guest.firmware.isBIOSKnown ? .loadersNotRead : nil
        case .programs:
            guard let last = guest.lastProgram else { return nil }
            switch last.kind {
            case .windows: return .startsAnotherSystem(program: last.path)
            case .unifiedKernel: return .startsUnifiedKernel(program: last.path, names: last.diskNames)
            case .other, .shim, .shimFallback, .mokManager: return .startsUnknownProgram(program: last.path)
            case .grub, .systemdBoot, .refind, .syslinux: return nil
            }
        case .nothing: return nil
        }
    }

    /// Why nobody knows whether the guest boots, by the entries that are judged.
    func unknownBoot(_ verdicts: [EntryVerdict]) -> UnknownBoot? {
        if let unknown = unknownLoader { return unknown }
        guard guest.isMenuRead else {
            if let other = guest.defaultEntries.first, other.entry.kernel == nil {
                return .startsNoKernel(title: other.entry.title, startProblem(other))
            }
            return .noMenu
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
            for verdict in DefaultEntryRule.deciding(self, verdicts) {
                guard let doubt = verdict.doubt else { continue }
                return .oneMayNot(title: verdict.title, path: verdict.path, doubt)
            }
            return nil
        }
        if let other = guest.defaultEntries.first {
            return .startsNoKernel(title: other.entry.title, startProblem(other))
        }
        // Where each of them starts, it does not matter which one does.
        let isAnyGood = verdicts.allSatisfy { verdict in
            if case .cannot = verdict.outcome { false } else { true }
        }
        return guest.volumeOfUnreadLoaderConfiguration != nil && isAnyGood ? nil : .noDefault
    }
}
