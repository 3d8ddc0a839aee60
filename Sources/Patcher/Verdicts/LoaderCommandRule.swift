/// Whether the loader knows the commands that load the entry's files.
enum LoaderCommandRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        draft.lackingCommands(of: entry).prefix(1).map {
            VerdictFinding(
                .loaderCommandMissing($0.name), symptom: "error: can't find command `\($0.name)'.")
        }
    }
}
