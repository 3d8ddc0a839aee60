/// A kernel command line somewhere in the guest's files.
struct CommandLinePlace {
    var file: ScannedFile
    var line: KernelCommandLine
    /// The entry it belongs to; nil for settings that every kernel gets.
    var entry: BootEntry?
    /// Where a further argument can be put, when there is no argument yet.
    var emptyPlace: Int?
    /// A blank would end the value: it stands in no quotes.
    var isOneWord = false
}

extension Planner {
    /// All kernel command lines, those of entries that only Xen boots included.
    var commandLines: [CommandLinePlace] {
        guest.files.flatMap { file -> [CommandLinePlace] in
            let places = file.bootEntries.map { entry in
                CommandLinePlace(file: file, line: entry.commandLine, entry: entry, emptyPlace: nil)
            }
            return places + sharedLines(file)
        }
    }

    private func sharedLines(_ file: ScannedFile) -> [CommandLinePlace] {
        func place(_ line: KernelCommandLine, _ empty: Int?) -> CommandLinePlace {
            CommandLinePlace(file: file, line: line, entry: nil, emptyPlace: empty)
        }
        switch file.syntax {
        case .grubLegacy(let menu): return menu.kernelOptions.map { place($0, nil) }
        case .syslinux(let menu): return menu.globalArguments.map { place($0, nil) }
        case .grub2(let menu): return menu.commandLineVariables.map { place($0.commandLine, nil) }
        case .grubEnvironment(let block):
            return block.variables.filter { $0.name == "kernelopts" }.map {
                place(KernelCommandLine(file.bytes, in: $0.valueRange), nil)
            }
        case .shell(let variables):
            return variables.assignments.filter { assignment in
                // What only a hypervisor or the failsafe entry gets stays.
                guard !assignment.name.contains("XEN"), !assignment.name.contains("FAILSAFE") else {
                    return false
                }
                return assignment.name.hasPrefix("GRUB_CMDLINE_LINUX") || assignment.name == "DEFAULT_APPEND"
                    || assignment.name == "EXTLINUX_PARAMETERS" || assignment.name == "default_kernel_opts"
            }.map {
                var value = place(KernelCommandLine(file.bytes, in: $0.valueRange), $0.valueRange.lowerBound)
                value.isOneWord = $0.quote == nil
                return value
            }
        case .text where file.kind == .kernelCommandLine:
            return [place(KernelCommandLine(file.bytes, in: 0..<file.bytes.count), nil)]
        default: return []
        }
    }

    /// Takes an argument out together with one blank before it.
    mutating func removeArgument(
        _ place: CommandLinePlace, _ argument: KernelCommandLine.Argument, _ repair: Repair, _ reason: String
    ) {
        let bytes = place.file.bytes
        var range = argument.range
        if range.lowerBound > 0, bytes[range.lowerBound - 1].isBlank {
            range = range.lowerBound - 1..<range.upperBound
        } else if range.upperBound < bytes.count, bytes[range.upperBound].isBlank {
            range = range.lowerBound..<range.upperBound + 1
        }
        // The argument before may have taken the blank between them.
        if !edit(place.file, range, "", repair, reason) {
            edit(place.file, argument.range, "", repair, reason)
        }
    }

    /// Puts an argument behind the others unless it is there.
    mutating func addArgument(_ place: CommandLinePlace, _ text: String, _ repair: Repair, _ reason: String) {
        guard !place.line.arguments.contains(where: { place.file.bytes.text($0.range) == text }) else {
            return
        }
        if let last = place.line.arguments.last {
            guard !place.isOneWord else { return }
            edit(place.file, last.range.upperBound..<last.range.upperBound, " " + text, repair, reason)
        } else if let empty = place.emptyPlace {
            edit(place.file, empty..<empty, text, repair, reason)
        }
    }
}
