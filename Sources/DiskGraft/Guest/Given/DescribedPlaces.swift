internal import Appliances
internal import HostIO
internal import ImageFormats
internal import Machines
internal import Storage

/// Where the files are that a description names. A plain name is one beside it, and nothing else is opened unasked: a
/// description comes from elsewhere, and would name the host's secrets.
struct DescribedPlaces {
    /// The path of the description.
    let description: String
    let language: DescriptionLanguage
    let options: ImageOptions

    /// A file that was found.
    struct Place {
        var path: String
        /// Its plain name, where it lies beside the description.
        var neighbour: String?
    }

    /// The file of a disk, by the bytes of its name, or by what they mean in the description's encoding.
    func place(of disk: Machine.Disk, role: String) throws(StorageError) -> Place {
        if let other = disk.otherFile, DirectoryEntry.isSound(name: other.hostBytes),
            plainNames(disk.file).allSatisfy({
                !HostDirectory.exists(HostPath.directory(of: description) + "/" + $0)
            }), let found = try neighbour(other)
        {
            return found
        }
        return try place(of: disk.file, role: role)
    }

    /// The file that `reference` means. Throws `refused` for a path that nobody allowed and for what is no regular file, `io`
    /// where it is not there.
    func place(of reference: String, role: String) throws(StorageError) -> Place {
        let reference = FileReference.beside(reference)
        for name in plainNames(reference) {
            if let found = try neighbour(name) { return found }
        }
        if plainNames(reference).first != nil, !isPath(reference) {
            // None is there: say so of the likeliest.
            _ = try HostFile.openSibling(
                of: description, name: plainNames(reference)[0], locking: .ignore)
        }
        if options.allowsSiblings, let name = lastName(of: reference), let found = try neighbour(name) {
            return found
        }
        guard options.allowsPaths, let path = path(of: reference) else { throw refusal(reference, role) }
        return Place(path: path, neighbour: nil)
    }

    /// The plain names that it may mean.
    private func plainNames(_ reference: String) -> [String] {
        switch language {
        case .ovf: return FileReference.names(reference).filter { DirectoryEntry.isSound(name: $0.hostBytes) }
        case .proxmox:
            // "storage:volume": the volume's own name, in a copy of it with the suffixes that such copies have.
            guard !reference.hasPrefix("/"), let name = lastName(of: reference) else { return [] }
            return name.contains(".") ? [name] : [name, name + ".raw", name + ".qcow2"]
        default:
            let name = FileReference.beside(reference)
            return DirectoryEntry.isSound(name: name.hostBytes) ? [name] : []
        }
    }

    private func isPath(_ reference: String) -> Bool {
        language == .proxmox ? options.allowsPaths && path(of: reference) != nil : reference.contains("/")
    }

    private func neighbour(_ name: String) throws(StorageError) -> Place? {
        let path = HostPath.directory(of: description) + "/" + name
        guard HostDirectory.exists(path) else { return nil }
        let file = try HostFile.openSibling(of: description, name: name, locking: .ignore)
        return Place(path: file.path, neighbour: name)
    }

    private func lastName(of reference: String) -> String? {
        let bytes = reference.hostBytes
        let separators: [UInt8] =
            language == .proxmox ? Array("/:".utf8) : language == .vmx ? Array("/\\".utf8) : Array("/".utf8)
        let name = Array(bytes[((bytes.lastIndex { separators.contains($0) } ?? -1) + 1)...])
        return DirectoryEntry.isSound(name: name) ? String(hostBytes: name) : nil
    }

    /// The path that it is, from the description's directory on.
    private func path(of reference: String) -> String? {
        guard !reference.isEmpty, !reference.utf8.contains(0), !reference.contains("://") else { return nil }
        if reference.hasPrefix("/") { return reference }
        if language == .proxmox {
            // The storage "local" keeps images there (Proxmox VE's storage.cfg as it is installed).
            guard reference.hasPrefix("local:") else { return nil }
            return "/var/lib/vz/images/\(reference.dropFirst("local:".count))"
        }
        return "\(HostPath.directory(of: description))/\(reference)"
    }

    private func refusal(_ reference: String, _ role: String) -> StorageError {
        StorageError(
            .refused, ImageCode.referenceRefused,
            "names the \(role) \"\(reference.hostBytes.displayText)\", which is no plain name of a file beside it and is not "
                + "opened unasked", path: description,
            remedies: (options.allowsSiblings ? [] : [.allowSiblings])
                + (options.allowsPaths ? [] : [.allowPaths]))
    }
}
