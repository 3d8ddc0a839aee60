extension Repair {
    /// Consoles that the target does not have.
    public static let console = Repair("console")
}

/// The kernel's consoles that only Xen has.
enum KernelConsoles: PlanStep {
    static let repair = Repair.console
    static let after: [any PlanStep.Type] = [DeviceNames.self]

    static func contribute(to draft: inout PlanDraft) {
        guard draft.leavesXenConsoles else { return }
        // virtio's console is called hvc0 too.
        let isVirtio = draft.guest.resolver.presentation.hypervisor == .kvm
        let keepsVirtio = draft.keepsVirtioConsole
        for place in draft.guest.commandLines {
            for argument in place.line.arguments {
                guard let range = argument.valueRange,
                    let device = place.file.bytes.text(range).split(separator: ",").first
                else { continue }
                if argument.name == "earlyprintk", device == "xen" {
                    draft.removeArgument(place, argument, .console, "there is no Xen to print to")
                }
                guard argument.name == "console", XenConsole.names.contains(String(device)),
                    !(device == "hvc0" && keepsVirtio)
                else { continue }
                draft.removeArgument(
                    place, argument, .console,
                    "\(device) is \(isVirtio && device == "hvc0" ? "virtio" : "Xen")'s console; without it the screen is the console"
                )
            }
        }
    }
}

extension PlanDraft {
    /// The target has none of Xen's consoles.
    var leavesXenConsoles: Bool { hypervisor != .xenserver }

    /// What is called hvc0 is virtio's, and stays there.
    var keepsVirtioConsole: Bool {
        // Names that tell KVM are gone after a first plan: where nothing tells of Xen it is the same.
        guard hypervisor == .kvm, let source = guest.resolver.presentation.hypervisor else {
            return hypervisor == .kvm
                && !guest.bootEntries.contains { $0.entry.isXenMultiboot || $0.entry.looksXenOnly }
        }
        return source == .kvm
    }
}

/// Consoles that only Xen has.
enum XenConsole {
    static let names: Set<String> = ["xvc0", "hvc0"]
}
