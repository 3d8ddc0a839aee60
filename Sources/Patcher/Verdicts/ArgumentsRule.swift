/// An entry whose arguments are in an environment block that was not read. Where everything else names volumes by what holds
/// anywhere, they do so too: the installation wrote both.
enum ArgumentsRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        let isKnown = entry.takesSharedArguments ? hasSharedArguments(draft.guest) : !entry.hidesArguments
        guard !isKnown else { return [] }
        let namesDevices = draft.guest.references.contains { reference in
            switch reference.use {
            case .fstab(let row): !reference.isStable && (row.mountPoint == "/" || row.isSwap)
            case .sharedKernelArgument: !reference.isStable
            default: false
            }
        }
        return [VerdictFinding(namesDevices ? .argumentsUnreadable : .argumentsElsewhere)]
    }

    private static func hasSharedArguments(_ guest: LinuxSystem) -> Bool {
        guest.files(GRUBEnvironmentFile.self).contains { $0.syntax.block?.last("kernelopts") != nil }
            || guest.files.contains { file in
                file.syntax.grub2Text?.menu.commandLineVariables.contains {
                    $0.name == "kernelopts"
                } ?? false
            }
    }
}

extension MenuEntry {
    /// No argument names the root, and what one of them stands for is set in a file that was not read (`load_env -f`).
    fileprivate var hidesArguments: Bool {
        entry.hidesArguments && !entry.commandLine.has("root")
            && !entry.variableArguments.contains { $0.name == "root" }
    }
}
