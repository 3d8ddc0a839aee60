internal import HostIO
internal import ImageFormats
internal import Partitions
public import Storage
internal import Undo

/// Checks a guest's disks over all layers: image tables, partition tables, logical volumes, file systems.
public struct GuestCheck: Encodable, Sendable {
    /// Something that was found, and where.
    public struct LocatedFinding: Encodable, Sendable {
        /// What was found.
        public var finding: Finding
        /// The image.
        public var image: String
        /// The volume, where it is about one.
        public var volume: String?

        private enum CodingKeys: String, CodingKey {
            case severity, layer, image, volume, code, structure, offset, message
            case imageHex = "image_hex"
        }

        /// Writes all of it as one object; `image_hex` has the bytes of an image's path that is not UTF-8.
        public func encode(to encoder: any Encoder) throws {
            var object = encoder.container(keyedBy: CodingKeys.self)
            try object.encode(finding.severity, forKey: .severity)
            try object.encode(finding.layer, forKey: .layer)
            try object.encode(image, forKey: .image)
            try object.encodeIfPresent(image.hexOfHostBytes, forKey: .imageHex)
            try object.encodeIfPresent(volume, forKey: .volume)
            try object.encode(finding.code, forKey: .code)
            try object.encodeIfPresent(finding.structure, forKey: .structure)
            try object.encodeIfPresent(finding.offset, forKey: .offset)
            try object.encode(finding.message, forKey: .message)
        }
    }

    /// Everything that was found.
    public internal(set) var findings: [LocatedFinding] = []
    /// What was mended, a sentence each.
    public private(set) var repaired: [String] = []

    /// Whether anything is damaged.
    public var isDamaged: Bool { findings.contains { $0.finding.severity == .damage } }

    /// What an image or a volume holds is more than was checked of it: bounds of this program, and no damage.
    public var isIncomplete: Bool {
        findings.contains { $0.finding.isOfBounds && $0.finding.severity == .warning }
    }

    /// Nothing on the images is of a kind that can be checked: no tables, no file system that is known.
    public private(set) var checkedNothing = false

    /// Whether an image leaks space.
    public var leaks: Bool { findings.contains { $0.finding.severity == .leak } }

    private enum CodingKeys: String, CodingKey {
        case findings, repaired
        case checkedNothing = "checked-nothing"
    }

    /// What may be repaired: everything that a driver offers.
    public static var repairs: [Finding.Repair] { [.gpt] + ImageProbe.repairs }

    /// Checks the images at `paths`, which are the disks of one guest. With `repair` they are opened for writing,
    /// and what is repaired is undoable.
    ///
    /// Damage is a finding; thrown is what keeps the check from being made.
    public static func run(
        _ paths: [String], options: ImageOptions = ImageOptions(), repair: Set<Finding.Repair> = []
    ) throws(StorageError) -> GuestCheck {
        var check = GuestCheck()
        let sources = try DiskSources(paths, options)
        for request in sources.requests {
            for one in ImageProbe.repairs where repair.contains(one) {
                try check.repair(one, request.path, request.options)
            }
            try check.checkTables(request.path, request.options)
        }
        if check.isDamaged { return check }
        let guest: Guest
        do throws(StorageError) {
            guest = try Guest.open(sources, options, forWriting: repair.contains(.gpt))
        } catch {
            guard error.kind == .corrupt else { throw error }
            check.add(error, image: error.path ?? paths.first ?? "", volume: nil)
            return check
        }
        try check.checkImages(guest)
        if repair.contains(.gpt) { try check.repairGPT(guest) }
        // What was repaired is looked at again.
        let view = !repair.contains(.gpt) ? guest : try guest.seen(through: guest.devices)
        check.checkLayout(view)
        try check.checkVolumes(view)
        try Cancellation.check()
        return check
    }

    /// Checks the images' own tables and nothing that lies in them, so that no parent is needed.
    static func ofTables(_ paths: [String], options: ImageOptions) throws(StorageError) -> GuestCheck {
        var check = GuestCheck()
        for request in try DiskSources(paths, options).requests {
            try check.checkTables(request.path, request.options)
        }
        return check
    }

    /// The same with what can be done about a finding behind its sentence, as `name` has it.
    public func naming(_ name: (Remedy) -> String) -> GuestCheck {
        var check = self
        for index in check.findings.indices {
            let finding = check.findings[index].finding
            let repair = finding.repair.map { [Remedy.repair($0)] } ?? []
            let remedies = repair.filter { !finding.remedies.contains($0) } + finding.remedies
            check.findings[index].finding.message += remedies.clause(name)
            check.findings[index].finding.remedies = []
        }
        return check
    }

    /// The image's own tables.
    private mutating func checkTables(_ path: String, _ options: ImageOptions) throws(StorageError) {
        let file = try options.hostFiles.open(path, access: .read)
        try tellingBounds(of: path) { (check) throws(StorageError) in
            try ImageProbe.check(file, format: options.format) { check.add($0, image: path) }
        }
        try tellingBounds(of: path) { (check) throws(StorageError) in
            try ImageProbe.checkPieces(of: file, format: options.format, in: options.hostFiles) {
                check.add($1, image: $0)
            }
        }
    }

    /// More than memory should hold is a finding: what was found before stays, and the rest is checked.
    private mutating func tellingBounds(
        of path: String, volume: String? = nil, _ body: (inout GuestCheck) throws(StorageError) -> Void
    ) throws(StorageError) {
        do throws(StorageError) {
            try body(&self)
        } catch {
            guard error.isOfBounds else { throw error }
            add(Finding(error, .warning), image: error.path ?? path, volume: volume)
        }
    }

    private mutating func checkLayout(_ guest: Guest) {
        for finding in guest.layout.findings {
            add(finding, image: guest.images[finding.disk ?? 0].path)
        }
    }

    /// A volume whose contents are not looked into: that is said, because silence would read as "sound". One that
    /// nothing is known of may be a file system whose superblock was overwritten.
    private mutating func checkOther(
        _ volume: Volume, path: String, _ registry: FileSystemRegistry
    ) throws(StorageError) {
        let kind = volume.identity.kind
        // Of what volumes are put together, those are checked.
        guard kind.content != .volumes, kind.content != .swap else { return }
        // A superblock on what is not there is not lost.
        if kind == .unknown, let lacking = volume.lacking {
            return add(
                Finding(
                    .warning, CheckCode.notChecked,
                    "\(lacking), so nothing in it was checked; give all disks of the guest"), image: path,
                volume: volume.name)
        }
        if kind == .unknown {
            var hasRemains = false
            for driver in registry.drivers {
                try driver.findRemains(on: volume.device) { finding in
                    hasRemains = true
                    add(finding, image: path, volume: volume.name)
                }
            }
            if hasRemains { return }
        }
        if let claimed = volume.identity.deviceByteCount, claimed > volume.device.byteCount {
            add(
                Finding(
                    .damage, CheckCode.truncatedDevice,
                    "it claims \(claimed) bytes and its device has \(volume.device.byteCount); the image may be truncated",
                    layerName: kind.rawValue, structure: "superblock"), image: path, volume: volume.name)
        }
        add(
            Finding(
                .note, CheckCode.notChecked,
                kind == .unknown
                    ? "nothing that is known is in it, so nothing in it was checked"
                    : "its contents are not checked here",
                layerName: kind == .unknown ? CheckCode.layer : kind.rawValue), image: path,
            volume: volume.name)
    }

    private mutating func checkVolumes(_ guest: Guest) throws(StorageError) {
        checkedNothing =
            guest.images.allSatisfy { $0.format == .raw }
            && guest.layout.disks.allSatisfy { $0.table.kind == .none }
            && !guest.volumes.contains {
                $0.identity.kind.content == .volumes || guest.registry.driver(for: $0.identity.kind) != nil
            }
        for (index, volume) in guest.volumes.enumerated()
        where guest.registry.driver(for: volume.identity.kind) == nil {
            let path = guest.path(ofVolume: index)
            do throws(StorageError) {
                try checkOther(volume, path: path, guest.registry)
            } catch {
                guard error.isAboutImage else { throw error.inFile(path) }
            }
        }
        for (index, volume) in guest.volumes.enumerated() {
            guard let driver = guest.registry.driver(for: volume.identity.kind) else { continue }
            let path = guest.path(ofVolume: index)
            do throws(StorageError) {
                try tellingBounds(of: path, volume: volume.name) { (check) throws(StorageError) in
                    try driver.check(volume.device) { check.add($0, image: path, volume: volume.name) }
                }
            } catch {
                guard error.isAboutImage else { throw error.inFile(path) }
                add(error, image: path, volume: volume.name)
            }
        }
    }

    mutating func add(_ finding: Finding, image: String, volume: String? = nil) {
        findings.append(LocatedFinding(finding: finding, image: image, volume: volume))
    }

    private mutating func repair(
        _ repair: Finding.Repair, _ path: String, _ options: ImageOptions
    ) throws(StorageError) {
        try options.requireLocks(path)
        if options.given.members[path.hostBytes] != nil { throw GivenFiles.readOnly(path) }
        try DiskImage.recover(path, options)
        let file = try RecordedFile.open(path)
        let format =
            if let known = options.format { known } else { try ImageProbe.format(of: file) }
        let driver = try ImageProbe.driver(for: format)
        guard driver.repairs.contains(repair) else {
            // Their tables have no count of what is free: only a copy leaves the space out.
            return add(
                Finding(
                    .note, CheckCode.leaksNotRepaired,
                    "space that a \(format.rawValue) leaks is not given back in place",
                    layerName: format.rawValue, remedies: [.convert(options: [])]), image: path)
        }
        if let warning = DiskImage.changeWarning(path) {
            add(
                Finding(.warning, CheckCode.imageWarning, warning, layerName: format.rawValue), image: path)
        }
        let transaction = try HostTransaction([file], records: options.records)
        let done: [String]
        do throws(StorageError) {
            done = try driver.repair(repair, file)
        } catch {
            throw transaction.rollBack(after: error).inFile(path)
        }
        try transaction.commit()
        repaired += done.map { "\(path.hostBytes.shellText): \($0)" }
    }

    private mutating func repairGPT(_ guest: Guest) throws(StorageError) {
        for image in guest.images {
            guard let repair = try GPTRepair.plan(image.device) else { continue }
            let transaction = try HostTransaction(image.opened.disk.map.hostFiles, records: image.records)
            do throws(StorageError) {
                try repair.commit(to: image.opened.disk)
                try image.opened.disk.flush()
            } catch {
                throw transaction.rollBack(after: error).inFile(image.path)
            }
            try transaction.commit()
            let path = image.path.hostBytes.shellText
            repaired += repair.actions.map { "\(path): \($0)" } + image.recordNotes
        }
    }

    mutating func add(_ error: StorageError, image: String, volume: String?) {
        add(Finding(error, error.kind == .corrupt ? .damage : .warning), image: image, volume: volume)
    }
}
