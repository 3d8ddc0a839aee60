internal import GuestTree
internal import Storage

/// Menus of GRUB 2 and the environment blocks that they read: what variables of the one stand for lies in the other.
enum GRUBLinks {
    /// The files with variables put into the menus, and with what the menus use them for said to the blocks.
    static func linked(_ files: [ScannedFile]) throws(StorageError) -> [ScannedFile] {
        var files = files
        let blocks = files.filter { $0.syntax is any GRUBEnvironmentText }
        var shared = GRUBScope()
        // Menus of their own come before what they read.
        for isOwn in [true, false] {
            for index in files.indices {
                try Cancellation.check()
                guard var text = files[index].syntax as? any GRUB2Text, (text is GRUB2Config) == isOwn else {
                    continue
                }
                let file = files[index]
                let environment = { variables(of: $0, in: file, blocks) }
                if isOwn {
                    shared.run(text.menu.events, environment)
                    text.menu.expand(file.bytes, from: included(in: file, files), environment)
                } else {
                    var start = shared
                    start.isOpen = true
                    text.menu.expand(file.bytes, from: start, environment)
                }
                files[index].syntax = text
                files[index].sites = text.deviceSites(in: file.bytes)
            }
        }
        let use = use(in: files)
        for index in files.indices {
            guard var text = files[index].syntax as? any GRUBEnvironmentText else { continue }
            text.use = use
            files[index].syntax = text
            files[index].sites = text.deviceSites(in: files[index].bytes)
        }
        return files
    }

    /// What files that `source` reads may set.
    private static func included(in file: ScannedFile, _ files: [ScannedFile]) -> GRUBScope {
        var scope = GRUBScope()
        for key in file.includedFiles.values {
            guard let menu = files.first(where: { $0.file.key == key })?.grubMenu, key != file.file.key else {
                continue
            }
            // Where in the text it is read decides what comes last: nothing of it is certain.
            for event in menu.events {
                if case .set(let name, _) = event.kind {
                    scope.run([GRUBVariableEvent(kind: .hide(name))]) { _ in nil }
                }
            }
        }
        return scope
    }

    /// The variables of a block; nil where it was not found.
    private static func variables(
        of load: GRUBEnvironmentLoad, in menu: ScannedFile, _ blocks: [ScannedFile]
    ) -> [String: String]? {
        func values(_ file: ScannedFile?) -> [String: String]? {
            file.map { ($0.syntax as? any GRUBEnvironmentText)?.block?.values ?? [:] }
        }
        if let word = load.word {
            return menu.includedFiles[word].flatMap { key in
                values(blocks.first { $0.file.key == key })
            }
        }
        let own = blocks.filter { $0.syntax is GRUBEnvironmentFile }
        let beside = own.first {
            $0.file.displayPath.directoryPart == menu.file.displayPath.directoryPart
        }
        return values(beside ?? own.first) ?? [:]
    }

    private static func use(in files: [ScannedFile]) -> GRUBEnvironmentUse {
        var use = GRUBEnvironmentUse()
        for file in files {
            for entry in file.grubMenu?.entries ?? [] {
                for argument in entry.commandLine.arguments where argument.isOpaque {
                    if argument.valueRange == nil {
                        let word = file.bytes.text(argument.range)
                        if word.first == "$" { use.arguments.insert(word.filter { !"${}".contains($0) }) }
                    } else if argument.name == "root", argument.isVariable(in: file.bytes),
                        let value = argument.valueRange
                    {
                        use.devices.insert(file.bytes.text(value).filter { !"${}".contains($0) })
                    }
                }
            }
        }
        return use
    }
}
