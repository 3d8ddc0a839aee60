package import GuestTree
internal import Storage

/// What has to be put on an EFI system partition so that a machine without boot entries of its own starts the guest.
package struct FallbackMaking: Sendable, Equatable {
    /// One change.
    package enum Change: Sendable, Equatable {
        /// A file is copied into `\EFI\BOOT` under a name.
        case copy(GuestFile, as: String)
        /// A file of `\EFI\BOOT` gets the bytes of another.
        case replace(GuestFile, with: GuestFile)
        /// A driver of rEFInd's is copied into a directory below `\EFI\BOOT`.
        case driver(GuestFile, folder: String)
        /// A list for shim's fallback.efi is made beside the loader.
        case list(in: GuestFile, name: String, contents: [UInt8])
        /// A program of `\EFI\BOOT` gets another name, so that shim does not start it.
        case rename(String, to: String)
    }

    /// The changes, that which makes the rest count last.
    package var changes: [Change] = []
    /// The directory that the loader comes from, where several distributions have one.
    package var chosen: String?

    /// The least that leads to a menu. Nil where nothing on the partition could be put there.
    init?(
        _ partition: EFISystemPartition, _ machine: PEImage.Machine, _ state: FallbackState, system: String
    ) {
        guard state.problem != nil else { return nil }
        let search = FallbackSearch(partition: partition, machine: machine, system: system)
        let found = search.candidates(state).first { making in
            !making.changes.isEmpty && !making.changes.contains(where: \.replacesDirectory)
                && FallbackState(partition.after(making), machine).problem == nil
        }
        guard let found else { return nil }
        self = found
    }

    init(_ changes: [Change], chosen: String? = nil) {
        self.changes = changes
        self.chosen = chosen
    }
}

extension FallbackMaking.Change {
    /// It would put a file where a directory stands.
    fileprivate var replacesDirectory: Bool {
        if case .replace(let file, _) = self { file.attributes.type == .directory } else { false }
    }
}

extension FallbackMaking.Change {
    /// The file that is copied.
    var source: FileKey? {
        switch self {
        case .copy(let file, _), .replace(_, let file), .driver(let file, _): file.key
        case .list, .rename: nil
        }
    }
}

extension EFISystemPartition {
    /// The partition as it will be once that is made.
    func after(_ making: FallbackMaking) -> EFISystemPartition {
        var result = self
        let efi = loaders.first?.names.first ?? "EFI"
        let boot = folders["BOOT"].flatMap { $0.path.lastComponent } ?? Array("BOOT".utf8)
        let folder = String(decoding: boot, as: UTF8.self)
        for change in making.changes {
            switch change {
            case .copy(let file, let name):
                guard var copy = loaders.first(where: { $0.file.key == file.key }) else {
                    result.configurations["BOOT/\(name.uppercased())"] = file
                    continue
                }
                let source = copy.names
                copy.names = [efi, folder, name]
                result.loaders.append(copy)
                result.trails[copy.names] = trails[source]
            case .driver: break
            case .replace(let file, let source):
                guard let old = result.loaders.firstIndex(where: { $0.file.key == file.key }),
                    var copy = loaders.first(where: { $0.file.key == source.key })
                else { continue }
                let names = copy.names
                copy.names = result.loaders[old].names
                copy.file = file
                result.loaders[old] = copy
                result.trails[copy.names] = trails[names]
            case .list(let directory, let name, let contents):
                let folder = String(decoding: directory.path.lastComponent ?? [], as: UTF8.self)
                result.lists.append(BootCSV(folder: folder, name: name, contents))
            case .rename(let old, let new):
                for index in result.loaders.indices
                where result.loaders[index].folder == "BOOT" && result.loaders[index].names.last == old {
                    result.loaders[index].names[2] = new
                }
            }
        }
        return result
    }
}
