internal import Storage

/// The backing file of an overlay that is made.
struct QCOW2Backing {
    /// What the header is to name it.
    let name: [UInt8]
    /// What the header is to call its format: with it nobody has to probe a disk that a guest writes to.
    let format: ImageFormat?
    /// The disk behind the overlay; nil: it was not looked at.
    let disk: Image?

    /// The parent that `options` ask for; nil when they ask for none. `path` is the new image's.
    init?(_ options: ImageCreateOptions, path: String) throws(StorageError) {
        guard let parent = options.parent else { return nil }
        let way = ParentName.relativeSteps(of: parent, from: options.finalPath ?? path, in: options.files)
        name = (options.parentName ?? way.joined(separator: "/")).hostBytes
        // qemu reads no longer ones.
        guard (1...1023).contains(name.count) else {
            throw .qcow2(
                .backingName, "a backing file's name of \(name.count) bytes is too long; 1023 are possible",
                structure: "header", field: "backing_file_size")
        }
        guard !options.trustsParent else {
            (format, disk) = (options.parentFormat, nil)
            return
        }
        let file = try options.files.open(parent, access: .read)
        do throws(StorageError) {
            let known =
                if let asked = options.parentFormat { asked } else { try ImageProbe.format(of: file) }
            format = known
            // The caller named the parent; its own parents may lie beside it.
            let below = ImageOpenOptions(
                files: options.files, references: ReferencePolicy(allowsSiblings: true))
            disk =
                known == .qcow2
                ? try QCOW2Driver.open(file, below, chain: ParentChain(file, above: 1)).disk
                : try ImageProbe.driver(for: known).open(file, options: below).disk
        } catch {
            throw error.inFile(parent)
        }
    }
}
