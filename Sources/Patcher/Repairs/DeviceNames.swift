internal import Storage

extension Repair {
    /// Device names become names that hold on the target.
    package static let names = Repair("names")
}

/// Replaces the device names that will not hold on the target.
enum DeviceNames: PlanStep {
    static let repair = Repair.names

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files {
            for site in file.sites {
                guard let reference = draft.guest.reference(in: file, at: site.range.lowerBound) else {
                    continue
                }
                replace(reference, file, site, &draft)
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
        let syntax = type(of: file.syntax)
        switch reference.resolution {
        case .volume(let volume):
            guard let choice = NameChoice.name(for: volume, file, site, &draft) else { return }
            draft.edit(
                file, site.range, syntax.wantsPaths ? choice.path : choice.text, .names, choice.reason)
        case .disk(let disk):
            guard syntax.renamesDisks else { return }
            let new = draft.targetName(ofDisk: disk)
            draft.edit(
                file, site.range, new, .names,
                "\(site.text) is disk \(disk + 1), which \(draft.hypervisor.title) presents as \(new)")
        case .notADisk, .stable, .unresolved: break
        }
    }
}
