import DiskGraft

extension Remedy {
    /// The remedy as this command's flags and commands, to stand behind a sentence.
    var spelled: String {
        switch self {
        case .nameParent: "--parent FILE names the parent"
        case .nameUndoDirectory: "--undo-dir names a directory on a disk"
        case .allowSiblings: "--allow-siblings opens files beside the image"
        case .nameFormat(let format): format.map { "-f \($0) reads it as \($0)" } ?? "say which with -f"
        case .salvage: "`diskgraft convert --salvage` copies what can be read, with zeros for the rest"
        case .skipVerification: "--no-verify takes them as they are"
        case .allowPaths: "--allow-paths opens what the description names by a path"
        case .chooseMachine: "--machine NAME takes one of them"
        case .chooseDisk: "--disk N takes one of them (1 is the first)"
        case .ignoreLocks: "-U reads it all the same"
        case .honourLocks: "a command that writes takes no -U"
        case .undo: "`diskgraft undo` takes the change back"
        case .undoDisk(let path):
            "`diskgraft undo \(path.hostBytes.shellText)` takes it back there (with the same --undo-dir, where one was given)"
        case .forceUndo:
            "`diskgraft undo --force` writes this one change's old bytes over what is there now, a mixture that the image never was: "
                + "work that was done since is lost, and a file system that was used since, or another backup, is damaged by that, so "
                + "copy the image first"
        case .discardUndo: "`diskgraft undo --discard` leaves the image as it is"
        case .discardUndoOfSound:
            "`diskgraft undo --discard` keeps the image as it is, with all that was done since (`diskgraft check` finds no damage in "
                + "it; a change that was cut off stays as far as it came)"
        case .setUndoAside:
            "`diskgraft undo --discard` gives that record a name of its own and leaves this file as it is"
        case .discardUndoOfAnother: "`diskgraft undo --discard --other-file` throws it away all the same"
        case .giveDisk(let path): "give that disk too, with --with" + (path.map { " \($0)" } ?? "")
        case .mapDisk(let name): "--map \(name)=N says which disk it is"
        case .nameVolume: "--volume works on one volume by itself"
        case .nameRoot: "--root says which system is meant"
        case .convert(let options):
            "make a copy with `diskgraft convert\(options.map { " -o \($0)" }.joined())`"
        case .migrate: "convert and patch at once with `diskgraft migrate`"
        case .migrateUnpatched: "copy it as it is with `diskgraft migrate --unpatched`"
        case .check: "look at `diskgraft check`"
        case .repair(let repair): "`diskgraft check --repair \(repair.word)` mends it"
        case .shrink: "--shrink makes it shorter where nothing lives behind the new end"
        case .force: "--force does it all the same"
        case .changeParent: "--despite-children changes it all the same"
        case .dropChangeTracking: "--drop-cbt turns the tracking off, and the next backup is a full one"
        case .removeEmptyDirectory: "use rmdir"
        case .removeTree: "rm -r for everything in it"
        case .linkSymbolically: "use a symbolic link (ln -s)"
        case .copyFiles:
            "copy it with `get` and `put` (a tree with `tar` and `untar`), then remove it"
        case .startGuest: "start the guest and shut it down"
        case .tool(let name, let arguments): "run \(([name] + arguments).joined(separator: " "))"
        }
    }
}

extension StorageError {
    /// The error as the command prints it, with the flags that help.
    var spelled: String { description + remedies.clause(\.spelled) }
}
