import DiskGraft

extension RemedyWording {
    /// Remedies as this command's flags.
    static let flags = RemedyWording(
        statedDisk: { $0.map { "--map \($0)=N" } ?? "--map" }, wantedRepair: { "--fix \($0)" },
        otherTarget: { "--to \($0)" }, fallbackEntry: "--drivers fallback",
        otherController: { "--controller \($0)" }, conversion: "`diskgraft convert`",
        statedAddress: { "--mac \($0)=ADDRESS" })
}
