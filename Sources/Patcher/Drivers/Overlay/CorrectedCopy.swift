internal import Initramfs
internal import Storage

/// A copy of configuration in an initramfs, as the guest needs it on the target. The overlay has it under the same path, and
/// Linux unpacks the overlay last.
package struct CorrectedCopy: Hashable, Sendable {
    /// Its path in the initramfs.
    package var path: String
    /// All of its bytes.
    var bytes: [UInt8]
}

extension CopiedConfiguration {
    /// LVM's devices file with rows by which LVM finds the root's physical volumes on the target. Nil for other configuration,
    /// and where its rows cannot be made to do that.
    func corrected(for root: Volume, _ draft: PlanDraft) -> CorrectedCopy? {
        guard let devices = syntax as? LVMDevicesFile else { return nil }
        let changes = devices.rows.flatMap { row -> [TextChange] in
            guard row.isOfMachine, case .volume(let volume) = LVMDeviceRows.volume(of: row, bytes, draft)
            else { return [] }
            return LVMDeviceRows.changes(of: row, to: volume, draft)
        }
        let corrected = bytes.applying(changes)
        let later = LVMDevicesFile(corrected, path: path)
        guard corrected != bytes, draft.volumesHidden(by: later, below: root).isEmpty else { return nil }
        return CorrectedCopy(path: path, bytes: corrected)
    }
}

extension DriverReading {
    /// Copies in an entry's initramfs that keep the root from being found behind the facts' controller, as they have to be.
    func correctedCopies(of entry: MenuEntry, _ facts: DriverFacts) -> [CorrectedCopy] {
        CopiedFilterRule.correction(of: entry, PlanDraft(guest, request, facts)).map { [$0] } ?? []
    }
}

extension EarlierOverlay {
    /// What it has in place of copies in the image beside it.
    static func corrections(_ report: InitramfsReport, among entries: ArraySlice<InitramfsEntry>)
        -> [CorrectedCopy]
    {
        let added = Set(entries.filter { $0.type == .regular }.map(\.path))
        return report.configuration.filter { $0.kind == .lvmDevices && added.contains($0.path) }
            .map { CorrectedCopy(path: $0.path.displayText, bytes: $0.bytes) }
    }
}
