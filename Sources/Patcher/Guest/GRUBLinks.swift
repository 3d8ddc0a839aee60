internal import GuestTree
internal import Storage

/// Menus of GRUB 2 and the environment blocks that they read: what variables of the one stand for lies in the other.
enum GRUBLinks {
    /// The files with variables put into the menus, and with what the menus use them for said to the blocks.
    static func linked(_ files: [ScannedFile]) throws(StorageError) -> [ScannedFile] {
        var files = files
        let blocks = files.filter { $0.syntax.grubEnvironment != nil }
        let use = use(in: files)
        var shared = GRUBScope()
        var ofLoaderEntries: GRUBScope?
        // Menus of their own come before what they read.
        for isOwn in [true, false] {
            for index in files.indices {
                try Cancellation.check()
                guard var text = files[index].syntax.grub2Text, (text is GRUB2Config) == isOwn else {
                    continue
                }
                let file = files[index]
                let environment = { variables(of: $0, in: file, blocks) }
                text.menu.use = use
                if isOwn {
                    shared.run(text.menu.events, environment)
                    let start = included(in: file, files)
                    text.menu.expand(file.bytes, from: start, environment)
                    if text.menu.readsBLSEntries, ofLoaderEntries == nil {
                        var scope = start
                        scope.run(text.menu.events, environment)
                        ofLoaderEntries = scope
                    }
                } else {
                    var start = shared
                    start.isOpen = true
                    text.menu.expand(file.bytes, from: start, environment)
                }
                files[index].syntax = text
                files[index].sites = text.deviceSites(in: file.bytes)
            }
        }
        for index in files.indices {
            let bytes = files[index].bytes
            if var text = files[index].syntax.grubEnvironment {
                text.use = use
                files[index].syntax = text
                files[index].sites = text.deviceSites(in: bytes)
            } else if var entry = files[index].syntax as? LoaderEntry, var scope = ofLoaderEntries {
                // A block that was not found may lie where nothing can be read.
                if blocks.isEmpty { scope.isOpen = true }
                entry.expand(bytes, scope)
                files[index].syntax = entry
                files[index].sites = entry.deviceSites(in: bytes)
            }
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
            file.map { $0.syntax.grubEnvironment?.block?.values ?? [:] }
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

    private static func use(in files: [ScannedFile]) -> GRUBVariableUse {
        var use = GRUBVariableUse()
        func add(_ other: GRUBVariableUse) {
            use.devices.merge(other.devices) { first, _ in first }
            use.arguments.formUnion(other.arguments)
        }
        for file in files {
            if let menu = file.grubMenu { add(menu.variableUse(in: file.bytes)) }
            if let entry = file.syntax as? LoaderEntry { use.add(entry.entry.commandLine, in: file.bytes) }
        }
        return use
    }
}
