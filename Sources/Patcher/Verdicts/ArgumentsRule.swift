/// An entry whose arguments are in an environment block that was not read.
enum ArgumentsRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        guard entry.takesSharedArguments, !hasSharedArguments(draft.guest) else { return [] }
        return [VerdictFinding(.argumentsElsewhere)]
    }

    private static func hasSharedArguments(_ guest: Guest) -> Bool {
        guest.files(GRUBEnvironmentFile.self).contains { $0.syntax.block?.last("kernelopts") != nil }
            || guest.files.contains { file in
                (file.syntax as? any GRUB2Text)?.menu.commandLineVariables.contains {
                    $0.name == "kernelopts"
                } ?? false
            }
    }
}
