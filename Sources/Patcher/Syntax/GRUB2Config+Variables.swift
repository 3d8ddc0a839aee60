extension GRUB2Config {
    /// Puts in what variables stand for, wherever entries have them. `environment` gives the variables of an environment
    /// block; `start` is what they stand for before the text's own commands.
    mutating func expand(
        _ bytes: [UInt8], from start: GRUBScope = GRUBScope(),
        _ environment: (GRUBEnvironmentLoad) -> [String: String]?
    ) {
        var global = start
        global.run(events, environment)
        for index in entries.indices {
            let text = entries[index].grub
            var scope = global
            // Of many commands which of them are run in an arm is not told.
            if !text.branches.isEmpty, events.count < Self.eventLimit {
                scope = start
                scope.run(events, within: text.branches, environment)
            }
            scope.run(text.events, within: text.branches, environment)
            Self.expand(&entries[index], bytes, scope)
        }
        for index in deviceVariables.indices where deviceVariables[index].text.contains("$") {
            guard case .text(let text) = global.expanded(deviceVariables[index].text) else { continue }
            deviceVariables[index].plainText = text
        }
    }

    private static let eventLimit = 1024

    /// What its own kernel lines use variables for.
    func variableUse(in bytes: [UInt8]) -> GRUBVariableUse {
        var use = GRUBVariableUse()
        for entry in entries { use.add(entry.commandLine, in: bytes) }
        for variable in commandLineVariables { use.add(variable.commandLine, in: bytes) }
        return use
    }

    /// The files whose variables `load_env` takes over.
    var environmentFiles: [String] {
        (events + entries.flatMap(\.grub.events)).compactMap { event in
            if case .load(let load) = event.kind { load.word } else { nil }
        }
    }

    private static func expand(_ entry: inout BootEntry, _ bytes: [UInt8], _ scope: GRUBScope) {
        entry.kernel = entry.grub.kernel.map(scope.path)
        entry.initrds = entry.grub.initrds.map(scope.path)
        entry.expandArguments(bytes, scope)
    }
}

extension GRUBScope {
    /// A file's path with what its variables stand for, where that is known.
    func path(_ word: String) -> String {
        guard word.contains("$"), case .text(let text) = expanded(word), !text.isEmpty else { return word }
        return text
    }
}

extension BootEntry {
    /// Puts into the arguments what variables stand for.
    mutating func expandArguments(_ bytes: [UInt8], _ scope: GRUBScope) {
        variableArguments = []
        hidesArguments = false
        for index in commandLine.arguments.indices {
            let argument = commandLine.arguments[index]
            guard argument.isOpaque else { continue }
            guard let value = argument.valueRange else {
                readVariable(of: argument, at: index, bytes, scope)
                continue
            }
            let expansion = scope.expanded(Array(bytes[value]))
            commandLine.arguments[index].isUntold = expansion == .untold
            commandLine.arguments[index].plainValue =
                switch expansion {
                case .text(let text), .lacking(let text): text.isEmpty ? nil : text
                case .untold: nil
                }
        }
    }

    /// A word that is a variable stands for the arguments in it.
    private mutating func readVariable(
        of argument: KernelCommandLine.Argument, at index: Int, _ bytes: [UInt8], _ scope: GRUBScope
    ) {
        guard case .text(let text) = scope.expanded(Array(bytes[argument.range])) else {
            if bytes[argument.range].contains(.dollar) { hidesArguments = true }
            return
        }
        let plain = Array(text.utf8)
        variableArguments += KernelCommandLine(plain, in: 0..<plain.count).arguments.map {
            VariableArgument(index: index, name: $0.name, value: $0.valueRange.map { plain.text($0) })
        }
    }
}
