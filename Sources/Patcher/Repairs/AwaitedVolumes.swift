internal import Storage

/// Volumes that an initramfs waits for before it goes on, and stops without: those that do not come along are taken out of the
/// kernels' arguments. dracut stops without those of its own words, systemd waits for what it is to resume from.
enum AwaitedVolumes: PlanStep {
    static let repair = Repair.deadRows
    static let after: [any PlanStep.Type] = [KernelConsoles.self]

    static func contribute(to draft: inout PlanDraft) {
        for place in draft.guest.commandLines {
            for argument in place.line.arguments {
                guard let reference = draft.absentVolume(argument, in: place.file) else { continue }
                draft.removeArgument(
                    place, argument, .deadRows,
                    argument.name == "resume"
                        ? "\(reference.text) is not on the given disks: systemd in the initramfs would wait for it, of some versions for ever"
                        : "\(reference.text) is not on the given disks: the initramfs would wait for it, and stop"
                )
            }
        }
    }
}

extension PlanDraft {
    /// The volume that an argument makes an initramfs wait for, where it is on none of the disks.
    func absentVolume(_ argument: KernelCommandLine.Argument, in file: ScannedFile) -> Reference? {
        if argument.name == "resume", !awaitsResume { return nil }
        return guest.absentVolume(argument, in: file)
    }

    /// systemd is the init of an initramfs. Scripts wait for what they resume from too, and go on (initramfs-tools: 30 seconds).
    private var awaitsResume: Bool {
        let known = guest.bootEntries.compactMap { drivers.facts(of: $0).startsWithSystemd }
        guard known.isEmpty else { return known.contains(true) }
        // dracut's distributions, where no image can be read.
        return guest.startsWithSystemd && [.redHat, .suse].contains(guest.release?.family)
    }
}

extension LinuxSystem {
    /// What lies in an encrypted container is not told here.
    var hasContainers: Bool { volumes.contains { $0.identity.kind == .luks } }

    /// The volume that an argument makes an initramfs wait for, where it is on none of the disks. What lies in a container
    /// that is closed here cannot be told.
    func absentVolume(_ argument: KernelCommandLine.Argument, in file: ScannedFile) -> Reference? {
        guard argument.name == "resume" || KernelCommandLine.awaitedVolumes.contains(argument.name),
            let value = argument.valueRange,
            let reference = reference(in: file, at: value.lowerBound), reference.unresolved?.isAbsent == true,
            argument.name == "rd.luks.uuid" || !hasContainers
        else { return nil }
        return reference
    }
}
