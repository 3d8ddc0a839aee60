internal import GuestTree
internal import Initramfs
internal import Storage

/// What is added to an initramfs belongs into the next one too, which the guest makes itself: whenever a kernel or a driver
/// is updated.
enum NextInitramfs: PlanStep {
    static let repair = Repair.drivers

    static let dracutDirectory = "/etc/dracut.conf.d"
    static let initramfsToolsDirectory = "/etc/initramfs-tools"
    static let boosterDirectory = "/etc"
    private static let dracutFile = "90-diskgraft.conf"
    private static let reason = "the next initramfs needs the drivers too"

    static func contribute(to draft: inout PlanDraft) {
        let modules = draft.drivers.modulesOfNextInitramfs
        guard !modules.isEmpty, draft.request.wants(.drivers) else { return }
        initramfsTools(modules, &draft)
        dracut(modules, &draft)
        mkinitcpio(modules, &draft)
        booster(modules, &draft)
    }

    private static func initramfsTools(_ modules: [String], _ draft: inout PlanDraft) {
        guard let directory = draft.drivers.settings[initramfsToolsDirectory] else { return }
        guard let file = draft.guest.files(InitramfsModules.self).first else {
            draft.add(
                .create(
                    NamePlace("modules", in: directory), contents: Array(lines(modules).utf8),
                    permissions: 0o644), .drivers, reason)
            return
        }
        let missing = modules.filter { name in !file.syntax.names.contains { isSame($0, name) } }
        guard !missing.isEmpty else { return }
        let end = file.file.bytes.count
        let newline = file.file.bytes.last.map { $0 == .newline ? "" : "\n" } ?? ""
        draft.edit(file.file, end..<end, newline + lines(missing), .drivers, reason)
    }

    private static func dracut(_ modules: [String], _ draft: inout PlanDraft) {
        guard let directory = draft.drivers.settings[dracutDirectory] else { return }
        let path = directory.path.appending(dracutFile.utf8)
        let own = draft.guest.files(InitramfsPolicy.self).first { $0.file.file.path == path }
        guard let own else {
            let text =
                "# Drivers of the machine that this system was moved to.\nadd_drivers+=\" \(words(modules)) \"\n"
            draft.add(
                .create(NamePlace(dracutFile, in: directory), contents: Array(text.utf8), permissions: 0o644),
                .drivers, reason)
            return
        }
        guard let value = own.syntax.variables.last("add_drivers"), !value.isOpaque, value.quote != nil else {
            return
        }
        let present = value.text.split(separator: " ").map(String.init)
        let missing = modules.filter { name in !present.contains { isSame($0, name) } }
        guard !missing.isEmpty else { return }
        let end = value.valueRange.upperBound
        draft.edit(own.file, end..<end, "\(words(missing)) ", .drivers, reason)
    }

    private static func mkinitcpio(_ modules: [String], _ draft: inout PlanDraft) {
        for file in draft.guest.files(MkinitcpioConfiguration.self) {
            guard let range = file.syntax.modulesRange else { continue }
            let missing = modules.filter { name in !file.syntax.modules.contains { isSame($0, name) } }
            guard !missing.isEmpty else { continue }
            let text = (file.syntax.modules.isEmpty ? "" : " ") + words(missing)
            draft.edit(file.file, range.upperBound..<range.upperBound, text, .drivers, reason)
        }
    }

    /// booster's list is one word, with commas.
    private static func booster(_ modules: [String], _ draft: inout PlanDraft) {
        guard draft.drivers.overlays.contains(where: { $0.generator == .booster }) else { return }
        let list = modules.joined(separator: ",")
        guard let file = draft.guest.files(BoosterConfiguration.self).first else {
            guard let directory = draft.drivers.settings[boosterDirectory] else { return }
            draft.add(
                .create(
                    NamePlace("booster.yaml", in: directory), contents: Array("modules: \(list)\n".utf8),
                    permissions: 0o644), .drivers, reason)
            return
        }
        guard let range = file.syntax.modulesRange else {
            guard file.syntax.hasNoModules else {
                draft.advise(.drivers, file.file, "add \(list) to its modules: \(reason)")
                return
            }
            let end = file.file.bytes.count
            let newline = file.file.bytes.last.map { $0 == .newline ? "" : "\n" } ?? ""
            draft.edit(file.file, end..<end, "\(newline)modules: \(list)\n", .drivers, reason)
            return
        }
        let missing = modules.filter { name in !file.syntax.modules.contains { isSame($0, name) } }
        guard !missing.isEmpty else { return }
        draft.edit(
            file.file, range.upperBound..<range.upperBound, "," + missing.joined(separator: ","), .drivers,
            reason
        )
    }

    private static func lines(_ modules: [String]) -> String { modules.joined(separator: "\n") + "\n" }
    private static func words(_ modules: [String]) -> String { modules.joined(separator: " ") }

    /// The kernel takes a dash for an underscore.
    private static func isSame(_ one: String, _ other: String) -> Bool {
        one.count == other.count
            && zip(one, other).allSatisfy { $0 == $1 || "-_".contains($0) && "-_".contains($1) }
    }
}

/// GRUB's own settings name the overlays, so that a menu that is made anew, by itself, keeps them.
enum OverlayInNextMenu: PlanStep {
    static let repair = Repair.drivers
    static let reads: [any ConfigurationSyntax.Type] = [GRUBDefaults.self]

    static let script = "/etc/grub.d/10_linux"
    static let variable = "GRUB_EARLY_INITRD_LINUX_CUSTOM"
    private static let reason = "a boot menu that is made anew names the drivers beside the initramfs too"

    static func contribute(to draft: inout PlanDraft) {
        let menus = draft.guest.bootEntries.filter { $0.file.syntax is GRUB2Config }
        let overlays = draft.drivers.overlays.filter { overlay in
            !overlay.isWhole && menus.contains { draft.drivers.overlay(for: $0)?.name == overlay.name }
        }
        guard draft.request.wants(.drivers), !overlays.isEmpty else { return }
        guard draft.drivers.takesEarlyImages, overlays.allSatisfy({ $0.overlay.fitsBefore }),
            let file = draft.guest.files(GRUBDefaults.self).first
        else {
            draft.advise(
                .drivers, nil,
                "before grub.cfg is made anew in the guest, make its initramfs anew: the new menu does not name \(overlays.map(\.name).joined(separator: ", "))",
                isMinor: true)
            return
        }
        var missing = overlays.map(\.name)
        if let value = file.syntax.variables.last(variable), !value.isOpaque, value.quote != nil {
            let known = value.text.split(separator: " ").map(String.init)
            missing.removeAll { known.contains($0) }
            guard !missing.isEmpty else { return }
            let end = value.valueRange.upperBound
            let text = (value.text.isEmpty ? "" : " ") + missing.joined(separator: " ")
            draft.edit(file.file, end..<end, text, .drivers, reason)
            return
        }
        let names = missing.joined(separator: " ")
        let end = file.file.bytes.count
        let newline = file.file.bytes.last.map { $0 == .newline ? "" : "\n" } ?? ""
        draft.edit(file.file, end..<end, "\(newline)\(variable)=\"\(names)\"\n", .drivers, reason)
    }
}

extension DriverReading {
    /// Finds where the guest keeps what the next initramfs and the next menu are made by.
    func findSettings(_ facts: inout DriverFacts) throws(StorageError) {
        guard !facts.overlays.isEmpty else { return }
        for path in [
            NextInitramfs.dracutDirectory, NextInitramfs.initramfsToolsDirectory,
            NextInitramfs.boosterDirectory,
        ] {
            if let directory = try guest.tree.find(GuestPath(path)), directory.attributes.type == .directory {
                facts.settings[path] = directory
            }
        }
        let script: [UInt8]?
        do {
            script = try guest.tree.configuration(GuestPath(OverlayInNextMenu.script))
        } catch {
            guard error.isAboutImage else { throw error }
            script = nil
        }
        let variable = Array(OverlayInNextMenu.variable.utf8)
        facts.takesEarlyImages = script.map { $0.firstRange(of: variable) != nil } ?? false
    }
}
