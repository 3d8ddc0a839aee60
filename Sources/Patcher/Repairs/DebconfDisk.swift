extension Repair {
    /// debconf's memory of the boot disk.
    public static let debconf = Repair("debconf", needsAsking: true)
}

/// grub-pc's next update would install the loader to a disk that is not there, and fail.
enum DebconfDisk: PlanStep {
    static let repair = Repair.debconf
    static let reads: [any ConfigurationSyntax.Type] = [DebconfDatabase.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(DebconfDatabase.self).map(\.file) { repair(file, &draft) }
    }

    private static func repair(_ file: ScannedFile, _ draft: inout PlanDraft) {
        var isDevices = false
        for line in TextLine.all(in: file.bytes) {
            let text = file.bytes.text(line.content)
            if text.isEmpty { isDevices = false }
            if text.hasPrefix("Name: grub-pc/install_devices") { isDevices = !text.hasSuffix("_empty") }
            guard isDevices, text.hasPrefix("Value: /dev/") else { continue }
            let value = line.content.lowerBound + "Value: ".utf8.count..<line.content.upperBound
            let name = file.bytes.text(value)
            guard DeviceName(name).isPositional else { continue }
            let new = draft.targetName(ofDisk: 0)
            guard name != new else { continue }
            if draft.request.wants(.debconf) {
                draft.edit(
                    file, value, new, .debconf, "grub-pc/install_devices names a disk of the old hypervisor")
            } else {
                draft.advise(
                    .debconf, file,
                    "grub-pc/install_devices is \(name): the next update of grub-pc would fail (\(remedy: .ask(.debconf)))",
                    isMinor: true)
            }
        }
    }
}
