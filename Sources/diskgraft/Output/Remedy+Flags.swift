import DiskGraft

extension StorageError {
    /// The sentence with what can be done about it, as this command's flags and commands.
    var commandText: String {
        let advice = remedies.map(\.flags)
        return advice.isEmpty ? description : "\(description); \(advice.joined(separator: ", or "))"
    }
}

extension Remedy {
    /// What to type.
    var flags: String {
        switch self {
        case .nameParent: "name the parent with --parent FILE"
        case .allowSiblings: "allow files beside it with --allow-siblings"
        case .ignoreLocks: "read it all the same with -U"
        case .undo: "take it back with `diskgraft undo`"
        case .forceUndo: "take it back all the same with `diskgraft undo --force`"
        case .discardUndo: "throw the record away with `diskgraft undo --discard`"
        case .giveDisk(let path):
            "name the further disk with --with \(path.map { $0.hostBytes.shellText } ?? "FILE")"
        case .mapDisk(let name): "say which disk it is with --map \(name)=N"
        case .nameSource: "say where the guest comes from with --from"
        case .nameVolume: "name the volume with --volume"
        case .nameRoot: "name the root's volume with --root"
        case .convert(let options):
            (["make a copy with `diskgraft convert"] + options.map { "-o \($0)" }).joined(separator: " ")
                + "`"
        case .migrate: "convert and patch in one pass with `diskgraft migrate`"
        case .check: "see all of it with `diskgraft check`"
        case .repair(let what): "mend it with `diskgraft check --repair \(what)`"
        case .target(let name): "choose another target with --to \(name)"
        case .fix(let repair): "ask for it with --fix \(repair)"
        case .force: "do it all the same with --force"
        case .startGuest: "start the guest and shut it down first"
        case .tool(let name, let arguments): "run `\(([name] + arguments).joined(separator: " "))`"
        }
    }
}
