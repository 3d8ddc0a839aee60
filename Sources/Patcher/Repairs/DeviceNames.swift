internal import Storage

extension Repair {
    /// Device names become names that hold on the target.
    public static let names = Repair("names")
}

/// Replaces the device names that will not hold on the target.
enum DeviceNames: PlanStep {
    static let repair = Repair.names

    static func contribute(to draft: inout PlanDraft) {
        // Labels that old kernels make necessary come first: every other name of such a volume may be the label then.
        for (reference, file, site) in places(draft.guest) {
            guard case .kernelArgument = site.use, !reference.isStable,
                case .volume(let volume) = reference.resolution
            else { continue }
            _ = NameChoice.name(for: volume, file, site, &draft)
        }
        for (reference, file, site) in places(draft.guest) { replace(reference, file, site, &draft) }
    }

    private static func places(
        _ guest: LinuxSystem
    ) -> [(reference: Reference, file: ScannedFile, site: DeviceSite)] {
        guest.files.flatMap { file in
            file.sites.compactMap { site in
                guest.reference(in: file, at: site.range.lowerBound).map { ($0, file, site) }
            }
        }
    }

    private static func replace(
        _ reference: Reference, _ file: ScannedFile, _ site: DeviceSite, _ draft: inout PlanDraft
    ) {
        // The devices file has several words of one meaning in a row and is repaired by itself.
        switch site.use {
        case .lvmDevice, .reported: return
        default: break
        }
        guard !reference.isStable else { return }
        switch reference.resolution {
        case .volume(let volume):
            // What is spelled otherwise, as an escape or a number, may mean the right name already.
            guard let choice = NameChoice.name(for: volume, file, site, &draft), choice.text != site.text
            else { return }
            draft.edit(file, site.range, choice.text, .names, choice.reason)
        case .disk(let disk):
            guard type(of: file.syntax).renamesDisks else { return }
            let new = draft.targetName(ofDisk: disk)
            var text = new
            if case .unitDependency = site.use {
                let kind = SystemdUnitName.kind(of: file.bytes.text(site.range)) ?? .device
                text = SystemdUnitName.unit(ofDevice: new, kind)
            }
            draft.edit(
                file, site.range, text, .names,
                "\(site.text) is disk \(disk + 1), which \(draft.hypervisor.title) presents as \(new)")
        case .notADisk, .stable, .unresolved: break
        }
    }
}
