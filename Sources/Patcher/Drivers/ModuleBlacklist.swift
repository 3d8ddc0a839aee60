internal import KernelModules

/// Modules that an entry's arguments, and its initramfs, keep from being loaded.
struct ModuleBlacklist {
    /// By the kernel itself, whoever asks for them (kernel/module, `module_blacklist=`).
    private var refused: Set<String> = []
    /// Functions that the kernel does not run (init/main.c, `initcall_blacklist=`).
    private var functions: Set<String> = []
    /// By modprobe and udev, where a device asks for them and nobody by their name; with what says so.
    private var passedOver: [String: String]
    /// By modprobe and udev, whoever asks for them; with what says so.
    private let disabled: [String: String]
    /// Those that the initramfs or an argument asks for by name.
    private var named: Set<String>
    private let inserted: Set<String>
    /// Functions of modules are passed over too.
    private let isOfModules: Bool

    init(_ item: MenuEntry, _ facts: StartFacts) {
        let loading = facts.loading
        passedOver = loading.blacklisted
        disabled = loading.disabled
        named = loading.named
        inserted = loading.inserted
        // Before, the name was compared with the module's behind it.
        isOfModules = BootEntry.version(facts.release).map { !isVersion($0, below: [4, 9]) } ?? false
        for argument in item.entry.commandLine.arguments {
            guard let range = argument.valueRange else { continue }
            let text = argument.plainValue ?? item.file.bytes.text(range)
            let words = text.split(separator: ",").map(String.init)
            switch argument.name {
            // The kernel compares letter by letter, and the last of several counts.
            case "module_blacklist": refused = Set(words)
            case "initcall_blacklist": functions.formUnion(words)
            default: add(argument.name, words, by: argument.name + "=", loading)
            }
        }
        for list in loading.carried where list.name != "modprobe.blacklist" {
            add(list.name, list.modules, by: list.by, loading)
        }
    }

    private mutating func add(_ argument: String, _ words: [String], by: String, _ loading: ModuleLoading) {
        let names = words.map(ModuleName.canonical)
        if loading.blacklistArguments.contains(argument) {
            for name in names { passedOver[name] = by }
        } else if loading.loadingArguments.contains(argument) {
            named.formUnion(names)
        }
    }

    /// Some entry's arguments name modules for the kernel to refuse.
    static func isUsed(in guest: LinuxSystem) -> Bool {
        guest.bootEntries.contains { item in
            ["module_blacklist", "initcall_blacklist"].contains { item.entry.commandLine.has($0) }
        }
    }

    /// What of these modules does not get into the kernel, which has others of the controller's built in.
    func obstacle(to controller: ControllerState) -> DriverState? {
        for name in controller.modules where refused.contains(name) {
            return .forbidden(name, by: "module_blacklist=")
        }
        let called = controller.builtins + (isOfModules ? controller.modules : [])
        for name in called where Initcalls.of(name).contains(where: functions.contains) {
            return .forbidden(name, by: "initcall_blacklist=")
        }
        // What is added is loaded by its name, whatever the configuration says.
        let free = inserted.union(controller.added)
        for name in controller.modules where !free.contains(name) {
            if let by = disabled[name] { return .forbidden(name, by: by) }
        }
        for name in controller.drivers where !free.contains(name) && !named.contains(name) {
            if let by = passedOver[name] { return .forbidden(name, by: by) }
        }
        return nil
    }
}

extension ControllerState {
    /// What it is for an entry, with all that its arguments and its initramfs say.
    func state(of entry: MenuEntry, _ facts: StartFacts, adding isAdded: Bool) -> DriverState {
        let own = state(with: entry.entry.commandLine, adding: isAdded)
        switch own {
        case .present, .needsArgument, .missing:
            return ModuleBlacklist(entry, facts).obstacle(to: self) ?? own
        case .forbidden, .hidden, .unusable, .noSuchDriver, .unreadable, .unknown: return own
        }
    }
}
