extension Repair {
    /// The X server's driver.
    public static let xorg = Repair("xorg", needsAsking: true)
}

/// The X server's driver for a display that another hypervisor shows.
enum DisplayDriver: PlanStep {
    static let repair = Repair.xorg
    static let reads: [any ConfigurationSyntax.Type] = [XorgConfiguration.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(XorgConfiguration.self).map(\.file) {
            for row in TextLine.all(in: file.bytes) { repair(file, row, &draft) }
        }
    }

    private static func repair(_ file: ScannedFile, _ row: TextLine, _ draft: inout PlanDraft) {
        let fields = file.bytes.fields(in: row.content)
        guard fields.count >= 2, file.bytes.text(fields[0]).lowercased() == "driver" else { return }
        let name = file.bytes.text(fields[1])
        guard let owners = owners[name], !owners.contains(draft.hypervisor), let owner = owners.first else {
            return
        }
        if draft.request.wants(.xorg) {
            draft.edit(file, fields[1], "\"vesa\"", .xorg, "\(name) drives the display of \(owner.title)")
        } else {
            draft.advise(
                .xorg, file,
                "Driver \(name) drives the display of \(owner.title) (\(remedy: .ask(.xorg)): \"vesa\")",
                isMinor: true)
        }
    }

    /// Drivers of the display that a hypervisor shows, and who has it.
    private static let owners: [String: [Hypervisor]] = [
        "\"vmware\"": [.vmware], "\"vboxvideo\"": [.virtualbox], "\"prlvideo\"": [.parallels],
        "\"qxl\"": [.kvm], "\"cirrus\"": [.kvm, .xenserver],
    ]
}
