internal import GuestTree
internal import Initramfs
internal import Storage

/// Puts the overlays beside the initramfs images, and into the entries that need them.
enum OverlayInMenus: PlanStep {
    static let repair = Repair.drivers
    static let after: [any PlanStep.Type] = [DeviceNames.self, DefaultIsFallback.self]

    static func contribute(to draft: inout PlanDraft) {
        guard draft.request.wants(.drivers) else { return }
        for overlay in draft.drivers.overlays {
            let names = (overlay.modules + overlay.corrections).joined(separator: ", ")
            let what = overlay.title(behind: draft.controller)
            if let old = overlay.replaces {
                draft.add(
                    .edit(
                        FileEdit(
                            file: old.file, expected: old.bytes, contents: overlay.contents, edits: [],
                            canBeShared: false)), .drivers,
                    "\(what) beside those that it was given before: \(names)"
                )
                continue
            }
            draft.add(
                .create(
                    NamePlace(overlay.name, in: overlay.directory), contents: overlay.contents,
                    permissions: overlay.image.attributes.permissions), .drivers,
                overlay.isWhole
                    ? "the initramfs \(overlay.image.displayPath) with \(what): \(names)"
                    : "\(what): \(names)"
            )
        }
        for item in draft.guest.bootEntries {
            guard let overlay = draft.drivers.overlay(for: item), overlay.replaces == nil,
                let initrd = item.entry.initrds.last,
                let menu = item.file.syntax.bootMenu
            else { continue }
            let path = overlay.loaderPath(from: initrd)
            for text in menu.texts(adding: path, overlay, to: item.entry, in: item.file.bytes) {
                draft.edit(
                    item.file, text.range, text.text, .drivers,
                    overlay.modules.isEmpty
                        ? "the loader gives the kernel that file beside its initramfs"
                        : "the loader gives the kernel the drivers beside its initramfs")
            }
        }
    }
}

extension PlannedOverlay {
    /// What it holds, for people.
    fileprivate func title(behind controller: Controller) -> String {
        let modules = "the guest's own drivers for \(controller.rawValue) that the initramfs lacks"
        let configuration = "LVM's devices file with the new machine's names, in place of the initramfs' copy"
        if self.modules.isEmpty { return configuration }
        return corrections.isEmpty ? modules : "\(modules) and \(configuration)"
    }
}

/// A text in place of another.
package struct TextChange: Sendable, Equatable {
    /// The bytes that it takes the place of.
    package var range: Range<Int>
    /// The text.
    package var text: String
}

extension [UInt8] {
    /// The bytes with those texts in their places, none of which meets another.
    func applying(_ changes: [TextChange]) -> [UInt8] {
        var bytes = self
        for change in changes.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) {
            bytes.replaceSubrange(change.range, with: Array(change.text.utf8))
        }
        return bytes
    }
}

extension BootMenu {
    /// What gives an entry one more initramfs file, or another in place of its own.
    package func texts(
        adding path: String, _ overlay: PlannedOverlay, to entry: BootEntry, in bytes: [UInt8]
    ) -> [TextChange] {
        guard let first = entry.initrdRanges.first, let last = entry.initrdRanges.last else { return [] }
        if overlay.isWhole {
            // One file in place of all.
            return [TextChange(range: first.lowerBound..<last.upperBound, text: path)]
        }
        return overlay.overlay.placement == .before
            ? [TextChange(range: first.lowerBound..<first.lowerBound, text: path + Self.initrdSeparator)]
            : [TextChange(range: last.upperBound..<last.upperBound, text: Self.initrdSeparator + path)]
    }
}

extension LoaderEntry {
    /// systemd-boot takes one path a line.
    package func texts(
        adding path: String, _ overlay: PlannedOverlay, to entry: BootEntry, in bytes: [UInt8]
    ) -> [TextChange] {
        let isBefore = overlay.overlay.placement == .before
        guard let place = isBefore ? entry.initrdRanges.first : entry.initrdRanges.last,
            let line = TextLine.all(in: bytes).first(where: { $0.content.contains(place.lowerBound) }),
            let first = bytes.fields(in: line.content).dropFirst().first
        else { return [] }
        if overlay.isWhole { return [TextChange(range: place, text: path)] }
        let head = bytes.text(line.content.lowerBound..<first.lowerBound)
        return isBefore
            ? [TextChange(range: line.whole.lowerBound..<line.whole.lowerBound, text: "\(head)\(path)\n")]
            : [TextChange(range: line.content.upperBound..<line.content.upperBound, text: "\n\(head)\(path)")]
    }
}
