internal import Storage

/// Volumes that dracut waits for before it goes on, and stops without: those that do not come along are taken out of the
/// kernels' arguments.
enum AwaitedVolumes: PlanStep {
    static let repair = Repair.deadRows
    static let after: [any PlanStep.Type] = [KernelConsoles.self]

    static func contribute(to draft: inout PlanDraft) {
        for place in draft.guest.commandLines {
            for argument in place.line.arguments {
                guard let reference = draft.guest.absentVolume(argument, in: place.file) else { continue }
                draft.removeArgument(
                    place, argument, .deadRows,
                    "\(reference.text) is not on the given disks: the initramfs would wait for it, and stop")
            }
        }
    }
}

extension LinuxSystem {
    /// The volume that an argument makes an initramfs wait for, where it is on none of the disks. What lies in a container
    /// that is closed here cannot be told.
    func absentVolume(_ argument: KernelCommandLine.Argument, in file: ScannedFile) -> Reference? {
        guard KernelCommandLine.awaitedVolumes.contains(argument.name), let value = argument.valueRange,
            let reference = reference(in: file, at: value.lowerBound), reference.unresolved?.isAbsent == true,
            argument.name == "rd.luks.uuid" || !volumes.contains(where: { $0.identity.kind == .luks })
        else { return nil }
        return reference
    }
}
