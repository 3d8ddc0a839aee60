internal import KernelModules

/// Modules that an entry's arguments keep from being loaded.
struct ModuleBlacklist {
    /// By the kernel itself, whoever asks for them (kernel/module, `module_blacklist=`).
    private(set) var refused: Set<String> = []
    /// By modprobe and udev, where a device asks for them and nobody by their name (modprobe.d(5), dracut.cmdline(7)); with
    /// the argument that says so.
    private(set) var passedOver: [String: String] = [:]

    private static let names: Set<String> = ["modprobe.blacklist", "rd.driver.blacklist"]

    init(_ item: MenuEntry) {
        for argument in item.entry.commandLine.arguments {
            guard argument.name == "module_blacklist" || Self.names.contains(argument.name),
                let range = argument.valueRange
            else { continue }
            for word in item.file.bytes.text(range).split(separator: ",") {
                let name = ModuleName.canonical(String(word))
                if argument.name == "module_blacklist" {
                    refused.insert(name)
                } else {
                    passedOver[name] = argument.name
                }
            }
        }
    }

    /// Some entry's arguments name modules for the kernel to refuse.
    static func isUsed(in guest: LinuxSystem) -> Bool {
        guest.bootEntries.contains { $0.entry.commandLine.has("module_blacklist") }
    }
}

extension ControllerState {
    /// What it is for an entry, with all that its arguments and its initramfs say.
    func state(of entry: MenuEntry, _ facts: StartFacts, adding isAdded: Bool) -> DriverState {
        let own = state(with: entry.entry.commandLine, adding: isAdded)
        let list = ModuleBlacklist(entry)
        if let name = modules.first(where: list.refused.contains) {
            return .forbidden(name, by: "module_blacklist=")
        }
        switch own {
        case .present, .needsArgument: break
        // What is added is loaded by its name.
        case .missing, .forbidden, .unusable, .noSuchDriver, .unreadable, .unknown: return own
        }
        for name in drivers where !facts.loadedModules.contains(name) {
            if let by = list.passedOver[name].map({ $0 + "=" }) ?? facts.blacklistedModules[name] {
                return .forbidden(name, by: by)
            }
        }
        return own
    }
}
