/// A loader that reads no file at boot has the old disk in its map.
enum LoaderMapRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        entry.file.isReadAtBoot ? [] : [VerdictFinding(.liloMap, symptom: "VFS: Cannot open root device")]
    }
}

extension ScannedFile {
    /// The loader reads this menu when it boots.
    var isReadAtBoot: Bool { syntax.bootMenu.map { type(of: $0).isReadAtBoot } ?? false }
}
