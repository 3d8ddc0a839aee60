import DiskGraft

extension RemedyWording {
    /// Remedies as this command's flags.
    static let flags = RemedyWording(
        statedDisk: { $0.map { "--map \($0)=N" } ?? "--map" }, wantedRepair: { "--fix \($0.rawValue)" },
        otherTarget: { "--to \($0.name)" }, fallbackEntry: "--drivers fallback",
        otherController: { "--controller \($0.rawValue)" }, conversion: "`diskgraft convert`",
        statedAddress: { "--mac \($0)=ADDRESS" })
}
