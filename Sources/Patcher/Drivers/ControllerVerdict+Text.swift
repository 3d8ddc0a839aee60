extension ControllerVerdict {
    /// For people, what it is: those of one kind are named together.
    package var summary: String {
        switch state {
        case .present: argument.map { "driven with \($0)" } ?? "driven by the guest as it is"
        case .needsArgument(let argument): "driven with \(argument)"
        case .missing: "not in the initramfs, and the kernel has the modules"
        case .forbidden(let name, let by): "there, but \(by) keeps \(name) from being loaded"
        case .hidden(let by, let isMendable):
            isMendable
                ? "driven, once \(by) in the initramfs has the new names"
                : "driven, but \(by) in the initramfs hides the root behind other names"
        case .unusable: "not in the initramfs, and the kernel's modules are of no use"
        case .noSuchDriver: "no driver"
        case .unreadable, .unknown: "whose drivers are not known"
        }
    }

    /// The word of reports.
    package var word: String {
        switch state {
        case .present: argument == nil ? "present" : "needs-argument"
        case .needsArgument: "needs-argument"
        case .missing, .unusable: "missing"
        case .forbidden, .hidden: "forbidden"
        case .noSuchDriver: "no-such-driver"
        case .unreadable: "unreadable"
        case .unknown: "not-checked"
        }
    }
}

extension DriverFacts.Way {
    /// The word of reports.
    package var word: String {
        switch self {
        case .asIs: "as-is"
        case .otherController: "other-controller"
        case .kernelArgument: "kernel-argument"
        case .fallback: "fallback"
        case .overlay: "overlay"
        case .none: "none"
        }
    }

    /// For people, behind the controller's name; nil where there is nothing to say.
    package var summary: String? {
        switch self {
        case .asIs, .none: nil
        case .otherController: "the first of the target's that the guest has drivers for"
        case .kernelArgument(let argument): "with the kernel argument \(argument)"
        case .fallback: "by the rescue or fallback initramfs"
        case .overlay: "by what is added beside the initramfs"
        }
    }
}
