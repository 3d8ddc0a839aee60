internal import Appliances
internal import HostIO
internal import ImageFormats
internal import Machines
internal import Storage

/// A description of a machine that lies in a file of its own, with its disks beside it.
struct GivenDescription {
    let machine: Machine
    private(set) var requests: [DiskSources.Request] = []
    private(set) var notes: [String] = []
    private(set) var containers: [any ByteFile] = []
    /// The path of its manifest; nil where there is none.
    private(set) var manifest: String?

    /// What a description's name ends in. A disk is a file that its guest writes: one that looks like a description is none,
    /// or a guest could name other files.
    private static let suffixes: [(suffix: String, language: DescriptionLanguage)] = [
        (".ovf", .ovf), (".vmx", .vmx), (".vbox", .virtualbox), (".xml", .libvirt), (".conf", .proxmox),
    ]

    /// What a description's name ends in; nil for one that lies in no file of its own.
    static func suffix(of language: DescriptionLanguage) -> String? {
        suffixes.first { $0.language == language }?.suffix
    }

    /// The language of the description at `path`, by its name and what it holds; nil for everything else.
    static func language(of path: String) throws(StorageError) -> DescriptionLanguage? {
        let name = path.lowercased()
        guard let known = suffixes.first(where: { name.hasSuffix($0.suffix) }) else { return nil }
        let file = try HostFile.open(path, locking: .ignore)
        let head = try file.availableBytes(at: 0, count: 64 << 10)
        return DescriptionLanguage.recognise(head) == known.language ? known.language : nil
    }

    /// Throws `refused` for a file that is called as descriptions and appliances are and holds none that is read, nor an image: a
    /// plain disk is not called so, and this one is damaged, or says more than is read.
    static func refuseUnread(_ path: String) throws(StorageError) {
        let name = path.lowercased()
        let called = suffixes.map(\.suffix) + Appliance.Kind.allCases.map(\.suffix)
        guard let suffix = called.first(where: { name.hasSuffix($0) }) else { return }
        let file = try HostFile.open(path, locking: .ignore)
        let head = try file.availableBytes(at: 0, count: 64 << 10)
        let isCalledSo = MachineDescription(head: head).map { $0.suffix == suffix } ?? false
        // What else it is, is said where it is opened as an image.
        let isNothing = (try? ImageProbe.format(of: file)) == .raw && MachineDescription(head: head) == nil
        guard isCalledSo || isNothing else { return }
        throw StorageError(
            .refused, GuestInputCode.notADescription,
            "its name ends as those of machines' descriptions do, and it holds none that is read: it is damaged, or has what is not "
                + "read (a document type, several headers)",
            path: path, remedies: [.nameFormat(ImageFormat.raw.rawValue)])
    }

    init(
        _ path: String, _ language: DescriptionLanguage, _ options: ImageOptions, verifies: Bool
    ) throws(StorageError) {
        let file = try HostFile.open(path, locking: .ignore)
        containers = [file]
        guard file.byteCount <= UInt64(DescriptionLanguage.byteLimit) else {
            throw StorageError(
                .refused, GuestInputCode.machineDescription,
                "is longer than any description of a machine", path: path)
        }
        do throws(StorageError) {
            machine = try language.read(
                try file.bytes(at: 0, count: Int(file.byteCount)), machine: options.machine)
        } catch {
            throw error.inFile(path)
        }
        notes = machine.notes
        let places = DescribedPlaces(description: path, language: language, options: options)
        if language == .ovf { try readManifest(path, places, verifies: verifies && !options.salvages) }
        for disk in machine.disks {
            let place = try places.place(of: disk, role: "disk")
            if let stated = disk.fileByteCount,
                let length = try? HostFile.open(place.path, locking: .ignore).byteCount, length != stated
            {
                notes.append(
                    "gives \(disk.file.hostBytes.shellText) \(stated) bytes, and it has \(length)")
            }
            var own = options
            own.format = Self.format(disk, machine)
            if let name = place.neighbour { own.given.neighbours[place.path.hostBytes] = (path, name) }
            for parent in disk.parents {
                // One that may not be opened is told of where it is missed.
                guard let found = try? places.place(of: parent, role: "parent") else { continue }
                own.parents.append(found.path)
            }
            if disk.compression != nil {
                let packed = try own.hostFiles.open(place.path, access: .read)
                own.given.members[place.path.hostBytes] = try Appliance.decoded(
                    packed, disk, isSalvage: options.salvages)
            }
            requests.append(DiskSources.Request(path: place.path, options: own))
        }
    }

    /// The manifest beside an OVF, which is called as it is.
    private mutating func readManifest(
        _ path: String, _ places: DescribedPlaces, verifies: Bool
    ) throws(StorageError) {
        let name = DiskSources.stem(of: HostPath.name(of: path)) + ".mf"
        let place = HostPath.directory(of: path) + "/" + name
        guard HostDirectory.exists(place) else { return }
        let file = try HostFile.openSibling(of: path, name: name, locking: .ignore)
        containers.append(file)
        manifest = place
        guard verifies else { return }
        do throws(StorageError) {
            let count = Int(min(file.byteCount, UInt64(DescriptionLanguage.byteLimit)))
            let manifest = try Manifest(try file.bytes(at: 0, count: count))
            try manifest.verify { (name) throws(StorageError) in
                let found = try places.place(of: name, role: "file")
                return try HostFile.openSibling(
                    of: path, name: found.neighbour ?? name, locking: .ignore)
            }
        } catch {
            throw error.inFile(place)
        }
    }

    /// The format that the description gives a disk; nil where its word says none that is known, so that the file is looked at.
    static func format(_ disk: Machine.Disk, _ machine: Machine) -> ImageFormat? {
        guard let word = disk.format?.lowercased() else {
            // What Proxmox gives no format has it in its name, and a volume is raw.
            return nil
        }
        if word.contains("vmdk") { return .vmdk }
        if word.contains("vhdx") { return .vhdx }
        if word == "vdi" || word.hasSuffix("/vdi") { return .vdi }
        if word.contains("vhd") || word == "vpc" { return .vhd }
        if word.contains("qcow2") || word == "cow" { return .qcow2 }
        if word == "raw" || word.hasSuffix("#raw") { return .raw }
        return nil
    }
}
