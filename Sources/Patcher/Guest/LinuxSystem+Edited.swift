internal import GuestTree
package import Storage

extension LinuxSystem {
    /// The guest as it will be once these actions are carried out, as far as its device names and menus go.
    package func edited(by actions: [Action]) throws(StorageError) -> LinuxSystem {
        var frame = frame
        var contents: [FileKey: [UInt8]] = [:]
        for action in actions {
            switch action.kind {
            case .edit(let edit): contents[edit.file.key] = edit.contents
            case .replace(let file, let source):
                contents[file.key] =
                    contents[source.key] ?? files.first { $0.file.key == source.key }?.bytes
            case .setLabel(let volume, let label): frame.volumes[volume].identity.label = label
            case .create, .copy, .rename, .remove, .deviceBytes: break
            }
        }
        let files = files.map { file in
            contents[file.file.key].map { bytes in
                var edited = ScannedFile(file.path, file.file, type(of: file.syntax), bytes)
                edited.includedFiles = file.includedFiles
                return edited
            } ?? file
        }
        return try LinuxSystem(
            frame: frame, tree: tree, mounts: mounts, capabilities: capabilities, files: files,
            inspection: inspection, bootFiles: bootFiles, unreadable: unreadable, notes: notes)
    }
}
