internal import Appliances
internal import Codecs
internal import HostIO
internal import ImageFormats
internal import Machines
internal import Storage

/// What is given in the place of disks, as the disks that it comes to: an image is one, an appliance or a description of a
/// machine is as many as the machine has, in its order.
struct DiskSources {
    /// A disk, and how it is opened.
    struct Request {
        var path: String
        var options: ImageOptions
        /// What a copy is called, without a suffix; nil: as the file.
        var stem: String?
        /// It is not in what is left of an archive.
        var isMissing = false
        /// What its description says of it; nil where none was given.
        var described: Machine.Disk?
    }

    /// The disks in their order.
    var requests: [Request] = []
    /// What the one description that was given says; nil where there is none, or several.
    var machine: SourceMachine?
    /// What a user should know, a sentence each.
    var notes: [String] = []
    /// The descriptions and archives themselves: files that no output may replace.
    var containers: [any ByteFile] = []

    /// Manifests beside descriptions, which fit no more once a disk is changed.
    var manifests: [String] = []

    private var descriptionCount = 0

    /// Looks at what lies at `paths`. `verifies`: digests in manifests are compared with what is there, unless the options say
    /// that they are not. Where a format is named the paths are images.
    ///
    /// Throws what keeps a description from being read, its disks from being found, or its digests from being right.
    init(_ paths: [String], _ options: ImageOptions, verifies: Bool = true) throws(StorageError) {
        for path in paths { try add(path, options, verifies: verifies && options.verifiesDigests) }
        if descriptionCount != 1 { machine = nil }
    }

    /// Throws `misuse` where one disk of several is chosen and nothing describes a machine.
    static func requireChoice(_ sources: [DiskSources], _ options: ImageOptions?) throws(StorageError) {
        guard options?.disk != nil || options?.machine != nil,
            sources.allSatisfy({ $0.descriptionCount == 0 })
        else { return }
        let paths = sources.flatMap(\.requests).map(\.path)
        // What is not there is said by whoever opens it.
        guard paths.allSatisfy(HostDirectory.exists) else { return }
        throw StorageError(
            .misuse, GuestInputCode.noDescription,
            "a machine or one of its disks is chosen, and nothing that is given describes one",
            path: sources.first?.requests.first?.path)
    }

    /// The one disk that a request of one is about. Throws `misuse` for several.
    static func one(_ path: String, _ options: ImageOptions) throws(StorageError) -> DiskSources {
        let sources = try DiskSources([path], options)
        guard sources.requests.count == 1 else {
            let names = sources.requests.prefix(16).map { HostPath.name(of: $0.path).hostBytes.shellText }
            throw StorageError(
                .misuse, GuestInputCode.severalDisks,
                "describes \(sources.requests.count) disks (\(names.joined(separator: ", "))), and this is about one",
                path: path, remedies: [.chooseDisk])
        }
        return sources
    }

    private mutating func add(_ path: String, _ options: ImageOptions, verifies: Bool) throws(StorageError) {
        let isKnown =
            options.given.members[path.hostBytes] != nil || options.given.neighbours[path.hostBytes] != nil
        guard options.format == nil, !isKnown, HostDirectory.isRegularFile(path) else {
            requests.append(Request(path: path, options: options))
            return
        }
        if let packed = try CompressedSource(path) {
            let file = try packed.decoded(options)
            if file.isDamaged {
                notes.append(
                    "\(path.hostBytes.shellText): the compressed stream is damaged or cut off; it decodes to \(file.byteCount) bytes, "
                        + "and what came behind them is lost")
            }
            if packed.isCalledArchive, let kind = try Appliance.kind(of: file) {
                return try add(file, kind, path, options, verifies: verifies)
            }
            var own = options
            own.given.members[path.hostBytes] = file
            containers.append(file)
            requests.append(
                Request(path: path, options: own, stem: packed.stem(of: HostPath.name(of: path))))
            return
        }
        if Self.isCalledArchive(path) {
            let file = try options.hostFiles.open(path, access: .read)
            if let kind = try Appliance.kind(of: file) {
                return try add(file, kind, path, options, verifies: verifies)
            }
        }
        guard let language = try GivenDescription.language(of: path) else {
            try GivenDescription.refuseUnread(path)
            requests.append(Request(path: path, options: options))
            return
        }
        let found = try GivenDescription(path, language, options, verifies: verifies)
        notes += found.notes.map { "\(path.hostBytes.shellText): \($0)" }
        containers += found.containers
        manifests += found.manifest.map { [$0] } ?? []
        try append(found.requests, found.machine, path, options)
    }

    /// A file is an appliance by its name and by what it holds: a disk is written by its guest.
    static func isCalledArchive(_ path: String) -> Bool {
        let name = path.lowercased()
        return name.hasSuffix(".tar") || Appliance.Kind.allCases.contains { name.hasSuffix($0.suffix) }
    }

    private mutating func add(
        _ file: any ByteFile, _ kind: Appliance.Kind, _ path: String, _ options: ImageOptions, verifies: Bool
    ) throws(StorageError) {
        let appliance = try Appliance.open(
            file, kind, verifies: verifies, machine: options.machine,
            isSalvage: options.salvages)
        containers.append(file)
        notes += appliance.notes.map { "\(path.hostBytes.shellText): \($0)" }
        var made: [Request] = []
        for (index, disk) in appliance.disks.enumerated() {
            let place = "\(path)/\(disk.name)"
            var own = options
            own.given.members[place.hostBytes] = disk.file
            own.format = GivenDescription.format(appliance.machine.disks[index], appliance.machine)
            // A reference of XenServer's or Proxmox's is no name of a file.
            let stem = kind != .ova ? "\(Self.stem(of: HostPath.name(of: path)))-disk\(index + 1)" : nil
            made.append(Request(path: place, options: own, stem: stem, isMissing: disk.isMissing))
        }
        try append(made, appliance.machine, path, options)
    }

    /// A file's name without its suffix.
    static func stem(of name: String) -> String {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
        return String(name[..<dot])
    }

    private mutating func append(
        _ made: [Request], _ described: Machine, _ path: String, _ options: ImageOptions
    ) throws(StorageError) {
        descriptionCount += 1
        var made = made
        var described = described
        if let number = options.disk {
            guard made.indices.contains(number - 1) else {
                throw StorageError(
                    .misuse, GuestInputCode.noSuchDisk,
                    "describes \(made.count) disks, and disk \(number) is asked for", path: path)
            }
            made = [made[number - 1]]
            let chosen = described.disks.remove(at: number - 1)
            described.absentDisks += described.disks
            described.disks = [chosen]
        }
        guard !made.isEmpty else {
            throw StorageError(
                .refused, GuestInputCode.noDisks,
                (["describes a machine without disks"] + described.notes).joined(separator: "; "), path: path)
        }
        if let missing = made.first(where: \.isMissing) {
            throw StorageError(
                .corrupt, ApplianceCode.missingMember, "is not in what is left of the archive",
                path: missing.path, remedies: options.disk == nil ? [.chooseDisk] : [])
        }
        machine = SourceMachine(machine: described, path: path, firstDisk: requests.count)
        for (request, disk) in zip(made, described.disks) {
            var request = request
            request.described = disk
            request.options.disk = nil
            requests.append(request)
        }
    }
}
